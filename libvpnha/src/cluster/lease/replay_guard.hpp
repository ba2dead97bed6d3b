// SPDX-License-Identifier: GPL-2.0-or-later
// Which datagrams of a sender are new. Links are redundant, so most datagrams come twice, and out
// of order; what was captured may come again at any time.
//
// Each life of a vpnhad has a random number, its instance. Nothing about it is on a disk, so a node
// that was installed anew is heard like any other. A life is heard when it has repeated a number
// that this node gave its node, the challenge: so it speaks now, and is no record of one that spoke
// before. Two nodes meet by Hellos, in one and a half round trips:
//
//   from  to  Hello
//   A     B   A's challenge                       A has started
//   B     A   B's challenge, A's repeated         A hears B from here on
//   A     B   B's repeated                        B hears A from here on
//
// Any other datagram of a life that is not heard is dropped, and asks for a Hello. A challenge is
// of use once: when a life has repeated it, the next one of that node has to repeat another.
//
// Nothing that a life sent before the datagram with the repeated challenge is taken: an earlier
// life of this vpnhad may have taken it. Behind it a datagram is new when its sequence was not seen
// within the last kReplayWindow (RFC 6479's ring). A sender numbers what it sends to all nodes for
// all gateways in one sequence, and sends it in one burst. The copies by a slower link come a burst
// later, and are of use only within the window: 255 gateways with seven voters send 1530 rounds and
// as many answers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "cluster/lease/messages.hpp"

namespace vpnha::lease {

// One word of the ring is being filled.
inline constexpr std::size_t kReplayWords = 64;
inline constexpr std::uint64_t kReplayWindow = (kReplayWords - 1) * 64;

class ReplayGuard {
  public:
    enum class Seen : std::uint8_t {
        replayed,  // Drop it.
        unproven,  // Drop it: that life has yet to repeat the challenge.
        fresh,
        new_life,  // Fresh, and the first one of a life.
    };

    // `self`: the life of this node's vpnhad.
    explicit ReplayGuard(Instance self) : self_(self) {}

    // Of an authentic datagram. A sender that is not listed is replayed.
    [[nodiscard]] Seen on_datagram(const Sender& sender, std::uint64_t sequence,
                                   const Message& message);
    // What is to be said to a node, in answer to a Hello if there is one: this node's challenge,
    // unless it hears that life, and the other one's repeated. None: there is nothing to say.
    [[nodiscard]] std::optional<Hello> greeting(NodeId to, const Sender& sender,
                                                const Hello* hello) const;
    // The first word to a node.
    [[nodiscard]] Hello greeting(NodeId to) const;
    // A life of that node has repeated its challenge.
    [[nodiscard]] bool hears(NodeId node) const;
    // Whose datagrams are taken: all voters of all gateways. Others are forgotten.
    void set_senders(const std::vector<NodeId>& nodes);

  private:
    struct Peer {
        NodeId node;
        std::uint64_t challenge = 0;
        Instance instance;  // The life that is heard; 0: none.
        std::uint64_t newest = 0;
        std::array<std::uint64_t, kReplayWords> seen{};  // Bit s mod 4096: s was seen.

        // False: it was seen, or is older than the window.
        [[nodiscard]] bool take(std::uint64_t sequence);
        // It was sent just now. What was sent before it may be a record.
        void take_all_until(std::uint64_t sequence);
    };
    [[nodiscard]] const Peer* find(NodeId node) const;

    Instance self_;
    std::uint64_t last_challenge_ = 0;
    std::vector<Peer> peers_;
};

}  // namespace vpnha::lease
