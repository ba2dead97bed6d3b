// SPDX-License-Identifier: GPL-2.0-or-later
// Which datagrams of a sender were received before. Links are redundant, so most datagrams come
// twice, and out of order; what was captured may come again at any time.
//
// A datagram is new when its instance is the sender's newest and its sequence was not seen within
// the last 64, or when its instance is newer: instances are numbered on the sender's disk. A newer
// instance is reported, so that it is kept over this node's own restart, too; otherwise an old life
// of a dead node could be played back to one that has forgotten it.
#pragma once

#include <cstdint>
#include <vector>

#include "lease/messages.hpp"

namespace vpnha::lease {

class ReplayGuard {
  public:
    struct Known {
        NodeId node;
        Instance instance;
        friend bool operator==(const Known&, const Known&) = default;
    };
    enum class Seen : std::uint8_t {
        replayed,  // Drop it.
        fresh,
        new_instance,  // Fresh; save known() first.
    };

    // `known`: as saved last.
    explicit ReplayGuard(const std::vector<Known>& known);

    // Of an authentic datagram. A sender that is not listed is replayed.
    [[nodiscard]] Seen on_datagram(const Sender& sender, std::uint64_t sequence);
    // Whose datagrams are taken: all voters of all gateways. Others are forgotten.
    void set_senders(const std::vector<NodeId>& nodes);
    [[nodiscard]] std::vector<Known> known() const;

  private:
    struct Peer {
        NodeId node;
        Instance instance;  // 0: none heard.
        std::uint64_t newest = 0;
        std::uint64_t window = ~std::uint64_t{0};  // Bit i: newest - i was seen.
    };

    std::vector<Peer> peers_;
};

}  // namespace vpnha::lease
