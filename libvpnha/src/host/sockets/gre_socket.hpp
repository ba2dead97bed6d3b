// SPDX-License-Identifier: GPL-2.0-or-later
// GRE of one VIP, as long as vpnhad runs: one raw socket for all calls, because the kernel offers
// each packet to each raw socket with matching addresses. Packets are sent and received in batches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class GreSocket {
  public:
    // A longer packet is dropped.
    static constexpr std::size_t kPacketBytesMax = 4096;
    static constexpr std::size_t kBatch = 64;
    // From the GRE header on.
    using OnPacket = std::function<void(Ipv4Address from, ByteView packet)>;

    // Receives nothing yet. In the network namespace of the calling thread; needs no VIP there.
    [[nodiscard]] static Result<UniqueFd> open(Ipv4Address vip);
    // One of open().
    explicit GreSocket(UniqueFd fd);
    ~GreSocket();
    GreSocket(GreSocket&&) noexcept;
    GreSocket& operator=(GreSocket&&) noexcept;

    [[nodiscard]] int fd() const { return fd_.get(); }
    // Stock calls of the same VIP have their own sockets, so without a call it receives nothing.
    [[nodiscard]] Result<void> set_receiving(bool on);
    // A batch of the packets that have arrived.
    void receive(const OnPacket& on_packet);
    // Sent with the next batch, or flush(), in this order.
    void send(Ipv4Address to, ByteView packet);
    void flush();
    // Packets that the kernel did not accept.
    [[nodiscard]] std::uint64_t unsent() const { return unsent_; }

  private:
    struct Batch;

    UniqueFd fd_;
    std::unique_ptr<Batch> in_;
    std::unique_ptr<Batch> out_;
    std::size_t waiting_ = 0;  // Packets of out_.
    std::uint64_t unsent_ = 0;
};

}  // namespace vpnha::adapters
