// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/packet_ring.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::size_t kBlockBytes = 1U << 16;
constexpr std::size_t kBlocks = 64;
constexpr unsigned kBlockTimeoutMs = 10;
constexpr std::uint16_t kPptpPort = 1723;

// TCP of port 1723 and GRE, from or to the VIP. Offsets count from the IPv4 header.
std::array<sock_filter, 18> filter_of(Ipv4Address vip) {
    constexpr std::uint32_t kProtocol = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL);
    constexpr std::uint32_t kTake = kObservedBytes;
    return {{
        /* 0 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kProtocol),
        /* 1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 14),
        /* 2 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 12),
        /* 3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, vip.value, 2, 0),
        /* 4 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
        /* 5 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, vip.value, 0, 10),
        /* 6 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        /* 7 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_GRE, 9, 0),
        /* 8 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 7),
        /* 9 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        /* 10 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 5, 0),
        /* 11 */ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        /* 12 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
        /* 13 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kPptpPort, 3, 0),
        /* 14 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        /* 15 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kPptpPort, 1, 0),
        /* 16 */ BPF_STMT(BPF_RET | BPF_K, 0),
        /* 17 */ BPF_STMT(BPF_RET | BPF_K, kTake),
    }};
}

Error ring_error(const char* what) {
    return system_error(what, errno);
}

std::atomic_ref<std::uint32_t> status_of(tpacket_block_desc& block) {
    return std::atomic_ref<std::uint32_t>(block.hdr.bh1.block_status);
}

// The kernel has handed the block over, and writes nothing more into it.
bool is_full(tpacket_block_desc& block) {
    return (status_of(block).load(std::memory_order_acquire) & TP_STATUS_USER) != 0;
}

// bind() is last: so no packet arrives that the filter would not pass.
Result<void> set_up(int socket, int device, Ipv4Address vip) {
    const int version = TPACKET_V3;
    if (::setsockopt(socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0) {
        return tl::unexpected(ring_error("TPACKET_V3"));
    }
    tpacket_req3 ring{};
    ring.tp_block_size = kBlockBytes;
    ring.tp_block_nr = kBlocks;
    ring.tp_frame_size = 512;
    ring.tp_frame_nr = static_cast<unsigned>(kBlockBytes / ring.tp_frame_size * kBlocks);
    ring.tp_retire_blk_tov = kBlockTimeoutMs;
    if (::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) != 0) {
        return tl::unexpected(ring_error("the ring of a capture"));
    }
    auto instructions = filter_of(vip);
    const sock_fprog program{.len = static_cast<unsigned short>(instructions.size()),
                             .filter = instructions.data()};
    if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
        return tl::unexpected(ring_error("the filter of a capture"));
    }
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = device;
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return tl::unexpected(ring_error("a capture's device"));
    }
    return {};
}

}  // namespace

void PacketRing::Unmap::operator()(std::uint8_t* memory) const {
    ::munmap(memory, kBlockBytes * kBlocks);
}

Result<PacketRing> PacketRing::open(int device, Ipv4Address vip) {
    // Without a protocol no packet arrives before bind().
    UniqueFd socket = open_network_socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK);
    if (!socket) {
        return tl::unexpected(ring_error("a capture"));
    }
    VPNHA_CHECK(set_up(socket.get(), device, vip));
    void* const memory =
        ::mmap(nullptr, kBlockBytes * kBlocks, PROT_READ | PROT_WRITE, MAP_SHARED, socket.get(), 0);
    if (memory == MAP_FAILED) {
        return tl::unexpected(ring_error("the memory of a capture"));
    }
    return PacketRing(std::move(socket), Memory(static_cast<std::uint8_t*>(memory)));
}

tpacket_block_desc& PacketRing::block(std::uint64_t number) const {
    return *reinterpret_cast<tpacket_block_desc*>(memory_.get() + number % kBlocks * kBlockBytes);
}

std::uint64_t PacketRing::blocks_captured() const {
    std::uint64_t number = read_;
    while (number < read_ + kBlocks && is_full(block(number))) {
        ++number;
    }
    // A block that the kernel has begun has its packets counted already (prb_fill_curr_block() in
    // net/packet/af_packet.c).
    std::atomic_ref<std::uint32_t> packets(block(number).hdr.bh1.num_pkts);
    return number < read_ + kBlocks && packets.load(std::memory_order_acquire) != 0 ? number + 1
                                                                                    : number;
}

bool PacketRing::read(const OnPacket& on_packet, std::size_t blocks_max) {
    for (std::size_t count = 0;; ++count) {
        tpacket_block_desc& full = block(read_);
        if (!is_full(full)) {
            return true;
        }
        if (count == blocks_max) {
            return false;
        }
        const std::uint8_t* packet =
            reinterpret_cast<const std::uint8_t*>(&full) + full.hdr.bh1.offset_to_first_pkt;
        for (std::uint32_t i = 0; i < full.hdr.bh1.num_pkts; ++i) {
            const auto* const header = reinterpret_cast<const tpacket3_hdr*>(packet);
            const auto* const address =
                reinterpret_cast<const sockaddr_ll*>(packet + TPACKET_ALIGN(sizeof(tpacket3_hdr)));
            if (address->sll_pkttype == PACKET_OUTGOING || address->sll_pkttype == PACKET_HOST) {
                on_packet(ByteView(packet + header->tp_net, header->tp_snaplen),
                          address->sll_pkttype == PACKET_OUTGOING ? Way::out : Way::in);
            }
            packet += header->tp_next_offset;
        }
        status_of(full).store(TP_STATUS_KERNEL, std::memory_order_release);
        ++read_;
    }
}

bool PacketRing::take_failure() {
    int error = 0;
    socklen_t length = sizeof error;
    return ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0;
}

std::uint32_t PacketRing::take_lost() {
    tpacket_stats_v3 stats{};
    socklen_t length = sizeof stats;
    const int done = ::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &length);
    return done == 0 ? stats.tp_drops : 0;
}

}  // namespace vpnha::adapters
