// SPDX-License-Identifier: GPL-2.0-or-later
// Who speaks with charon's ha plugin. Its messages hold keys and pre-shared keys, in the clear and
// on the loopback device, and its port is above 1024: while vpnhad or charon is down, any user of
// this node could have it. So an nftables table of its own, `inet vpnha_charon`, lets nobody but
// root send to that port, and brings what is sent to vpnhad's end to no other socket than vpnhad's.
// That one carries a mark, which takes CAP_NET_ADMIN.
//
// It is there before charon is started, and stays: it harms nobody where there is no charon.
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

// Replaces the table. In the network namespace of the calling thread.
[[nodiscard]] Result<void> guard_charon();
// Is there such a table? Within some microseconds.
[[nodiscard]] Result<bool> is_charon_guarded();

}  // namespace vpnha::adapters
