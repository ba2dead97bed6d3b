// SPDX-License-Identifier: GPL-2.0-or-later
// How long a link may last: by pppd's options, or by the RADIUS server that authenticated it (RFC
// 2865 5.27, 5.28). The changes that such a server may make to a session that is up.
#pragma once

#include <cstdint>
#include <optional>

#include "base/rate.hpp"

namespace vpnha::ppp {

struct Timeouts {
    std::uint32_t session_s = 0;  // Since it was established (Session-Timeout); 0: for ever.
    std::uint32_t idle_s = 0;     // Without a packet (Idle-Timeout); 0: for ever.
    friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

// The part of a session that may change while it is up.
struct Terms {
    Timeouts timeouts;
    Rate rate;
    friend bool operator==(const Terms&, const Terms&) = default;
};

// A RADIUS server's change of a session that is up (RFC 5176 3.6). Without a value it stays.
struct TermsChange {
    std::optional<std::uint32_t> session_s{};
    std::optional<std::uint32_t> idle_s{};
    std::optional<Rate> rate{};

    [[nodiscard]] bool is_empty() const { return !session_s && !idle_s && !rate; }
    [[nodiscard]] Terms of(const Terms& before) const {
        return {{session_s.value_or(before.timeouts.session_s),
                 idle_s.value_or(before.timeouts.idle_s)},
                rate.value_or(before.rate)};
    }
    friend bool operator==(const TermsChange&, const TermsChange&) = default;
};

}  // namespace vpnha::ppp
