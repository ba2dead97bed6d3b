// SPDX-License-Identifier: GPL-2.0-or-later
// How long a link may last: as pppd's options say, or the RADIUS server that authenticated (RFC
// 2865 5.27, 5.28).
#pragma once

#include <cstdint>
#include <optional>

namespace vpnha::ppp {

struct Timeouts {
    std::uint32_t session_s = 0;  // Since it was established (Session-Timeout); 0: for ever.
    std::uint32_t idle_s = 0;     // Without a packet (Idle-Timeout); 0: for ever.
    friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

// What a RADIUS server wants of a session that is up (RFC 5176 3.6). Without a value it stays.
struct TimeoutChange {
    std::optional<std::uint32_t> session_s{};
    std::optional<std::uint32_t> idle_s{};

    [[nodiscard]] bool is_empty() const { return !session_s && !idle_s; }
    [[nodiscard]] Timeouts of(const Timeouts& before) const {
        return {session_s.value_or(before.session_s), idle_s.value_or(before.idle_s)};
    }
    friend bool operator==(const TimeoutChange&, const TimeoutChange&) = default;
};

}  // namespace vpnha::ppp
