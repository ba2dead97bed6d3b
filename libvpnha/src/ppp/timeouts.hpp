// SPDX-License-Identifier: GPL-2.0-or-later
// How long a link may last: as pppd's options say, or the RADIUS server that authenticated (RFC
// 2865 5.27, 5.28).
#pragma once

#include <cstdint>

namespace vpnha::ppp {

struct Timeouts {
    std::uint32_t session_s = 0;  // Since it was established (Session-Timeout); 0: for ever.
    std::uint32_t idle_s = 0;     // Without a packet (Idle-Timeout); 0: for ever.
    friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

}  // namespace vpnha::ppp
