// SPDX-License-Identifier: GPL-2.0-or-later
// Reads messages within IKEv2 SAs on any device: a packet socket with a filter in the kernel, which
// accepts nothing else. It is open only while it is needed: the kernel clones each outgoing packet
// for it before the filter runs.
//
// Sends datagrams by raw sockets, because charon has the ports. They bypass the policies of IPsec,
// as charon's own datagrams do.
#pragma once

#include <functional>

#include "host/os/qb_loop.hpp"
#include "host/os/unique_fd.hpp"
#include "protocols/ipsec/backend/ike_watch.hpp"
#include "protocols/ipsec/model/ike_packet.hpp"

namespace vpnha::adapters {

class IkeSocket : public ports::IkeWatch {
  public:
    using OnPacket = std::function<void(const ipsec::IkePacket&)>;

    // `on_packet` is called from the loop, never from within a call. The loop must outlive this
    // object. Two devices, one on top of the other, may both show a packet.
    IkeSocket(QbLoop& loop, OnPacket on_packet);
    ~IkeSocket() override;
    IkeSocket(const IkeSocket&) = delete;
    IkeSocket& operator=(const IkeSocket&) = delete;

    // Must be called in the network namespace of the gateway.
    [[nodiscard]] Result<void> watch(bool on) override;
    [[nodiscard]] Result<void> send(const ipsec::HaHost& from, const ipsec::HaHost& to,
                                    ByteView datagram) override;

  private:
    void receive();
    void close();

    QbLoop& loop_;
    OnPacket on_packet_;
    UniqueFd fd_;
};

}  // namespace vpnha::adapters
