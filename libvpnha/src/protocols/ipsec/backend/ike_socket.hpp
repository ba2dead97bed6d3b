// SPDX-License-Identifier: GPL-2.0-or-later
// Messages within IKEv2 SAs, as they come and go on any device: a packet socket with a filter in
// the kernel, which takes nothing else. It is there only while it is wanted: what leaves the node
// is cloned for it before the filter sees it.
//
// Datagrams are sent by raw sockets, as charon has the ports, and past the policies of IPsec, as
// charon's own are.
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

    // `on_packet` is called from the loop, which must outlive it, never from within a call. Two
    // devices, one on the other, may both show a packet.
    IkeSocket(QbLoop& loop, OnPacket on_packet);
    ~IkeSocket() override;
    IkeSocket(const IkeSocket&) = delete;
    IkeSocket& operator=(const IkeSocket&) = delete;

    // In the network namespace of the calling thread.
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
