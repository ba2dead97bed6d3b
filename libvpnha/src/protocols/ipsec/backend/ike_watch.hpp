// SPDX-License-Identifier: GPL-2.0-or-later
// Port: which messages within IKEv2 SAs come to this node and leave it, whatever its charon makes
// of them; and datagrams of IKE that are not this charon's.
#pragma once

#include "protocols/ipsec/model/ha_message.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ports {

class IkeWatch {
  public:
    virtual ~IkeWatch() = default;

    // Those from now on are told, or no more.
    [[nodiscard]] virtual Result<void> watch(bool on) = 0;
    // Sends it once, unchanged; `from` is an address of this node. Errors are those of the sockets;
    // unsupported: the ends are of two families.
    [[nodiscard]] virtual Result<void> send(const ipsec::HaHost& from, const ipsec::HaHost& to,
                                            ByteView datagram) = 0;
};

}  // namespace vpnha::ports
