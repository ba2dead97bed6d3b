// SPDX-License-Identifier: GPL-2.0-or-later
// Port: which messages within IKEv2 SAs reach this node and leave it, however its charon handles
// them. It also sends datagrams of IKE that do not come from this charon.
#pragma once

#include "protocols/ipsec/model/ha_message.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ports {

class IkeWatch {
  public:
    virtual ~IkeWatch() = default;

    // Starts or stops the reports of such messages.
    [[nodiscard]] virtual Result<void> watch(bool on) = 0;
    // Sends it once, unchanged; `from` is an address of this node. Errors are those of the sockets.
    // Unsupported: the two ends have different families.
    [[nodiscard]] virtual Result<void> send(const ipsec::HaHost& from, const ipsec::HaHost& to,
                                            ByteView datagram) = 0;
};

}  // namespace vpnha::ports
