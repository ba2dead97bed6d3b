// SPDX-License-Identifier: GPL-2.0-or-later
// A capture of PPTP's packets on one device, IPv4, of one VIP: AF_PACKET with a ring that the
// kernel fills in blocks (TPACKET_V3), and a filter in the kernel. Only the first octets of each
// packet are captured. Packets neither for this node nor from it are left out. A ring that
// overflows loses packets, which is harmless, and counts them.
#pragma once

#include <linux/if_packet.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "host/os/unique_fd.hpp"
#include "protocols/pptp/backend/observed_packet.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class PacketRing {
  public:
    // A packet from its IPv4 header on.
    using OnPacket = std::function<void(ByteView packet, Way way)>;

    // On the device with that index, in the network namespace of the calling thread.
    [[nodiscard]] static Result<PacketRing> open(int device, Ipv4Address vip);

    // Readable when a block is full, or 10 ms after its first packet.
    [[nodiscard]] int fd() const { return socket_.get(); }
    // Reads what the kernel has captured, at most so many blocks; false: there is more.
    [[nodiscard]] bool read(const OnPacket& on_packet, std::size_t blocks_max);
    // Blocks that read() has finished.
    [[nodiscard]] std::uint64_t blocks_read() const { return read_; }
    // The number of blocks that read() will have finished once it has read all packets captured
    // now. The kernel still fills the last of them.
    [[nodiscard]] std::uint64_t blocks_captured() const;
    // True, once: the device was switched off, or it is gone.
    [[nodiscard]] bool take_failure();
    // Packets dropped because there was no room, since the last time.
    [[nodiscard]] std::uint32_t take_lost();

  private:
    struct Unmap {
        void operator()(std::uint8_t* memory) const;
    };
    using Memory = std::unique_ptr<std::uint8_t, Unmap>;

    PacketRing(UniqueFd socket, Memory memory)
        : socket_(std::move(socket)), memory_(std::move(memory)) {}

    [[nodiscard]] tpacket_block_desc& block(std::uint64_t number) const;

    UniqueFd socket_;
    Memory memory_;
    std::uint64_t read_ = 0;
};

}  // namespace vpnha::adapters
