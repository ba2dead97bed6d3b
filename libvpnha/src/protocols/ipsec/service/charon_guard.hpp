// SPDX-License-Identifier: GPL-2.0-or-later
// Restricts who exchanges messages with charon's ha plugin. These hold keys and pre-shared keys in
// the clear on the loopback device, and the port is above 1024: any user of this node could bind it
// while vpnhad or charon is down. So a separate nftables table, `inet vpnha_charon`, permits only
// root to send to that port. It delivers packets for vpnhad's end only to vpnhad's socket. That
// socket carries a mark, which takes CAP_NET_ADMIN.
//
// It is set before charon is started, and stays: it is harmless on a node without charon.
#pragma once

#include <cstdint>

#include "base/ids.hpp"

namespace vpnha::adapters {

// The plugin's own port; it cannot be changed.
inline constexpr std::uint16_t kHaPort = 4510;
inline constexpr Ipv4Endpoint kCharonEnd{.address = {0x7f000001}, .port = kHaPort};
inline constexpr Ipv4Endpoint kRelayEnd{.address = {0x7f000002}, .port = kHaPort};
// SO_MARK of vpnhad's socket.
inline constexpr std::uint32_t kRelayMark = 0x76706e68;

// Replaces the table. Must be called in the network namespace of charon.
[[nodiscard]] Result<void> guard_charon();
// Whether there is such a table. Takes some microseconds.
[[nodiscard]] Result<bool> is_charon_guarded();

}  // namespace vpnha::adapters
