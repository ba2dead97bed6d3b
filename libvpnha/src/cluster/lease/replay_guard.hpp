// SPDX-License-Identifier: GPL-2.0-or-later
// Determines which datagrams of a sender are new. Links are redundant, so most datagrams come
// twice, and out of order; a captured one may come again at any time.
//
// Each life of a vpnhad has a random number, its instance. Nothing about it is on a disk, so a node
// that was installed anew is accepted like any other. A life is accepted when it has repeated a
// number that this node gave its node, the challenge: so it sends now, and is no recording of an
// earlier life. Two nodes meet by Hellos, in one and a half round trips:
//
//   from  to  Hello
//   A     B   A's challenge                       A has started
//   B     A   B's challenge, A's repeated         A accepts B from here on
//   A     B   B's repeated                        B accepts A from here on
//
// A datagram of any other life is dropped, and answered by a Hello. A challenge is of use only
// once: when a life has repeated it, the next life of that node has to repeat another challenge.
//
// No datagram that a life sent before the repeated challenge is accepted: an earlier life of this
// vpnhad may have accepted it. A later datagram is new when its sequence was not seen within the
// last kReplayWindow (RFC 6479's ring). A sender numbers its datagrams to all nodes for all
// gateways in one sequence, and sends them in one burst. The copies by a slower link come a burst
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

    // For an authentic datagram. A sender that is not listed counts as replayed.
    [[nodiscard]] Seen on_datagram(const Sender& sender, std::uint64_t sequence,
                                   const Message& message);
    // The Hello for a node, in answer to one if there is one. It has this node's challenge, unless
    // that life is accepted, and the other one's repeated. None: there is nothing to send.
    [[nodiscard]] std::optional<Hello> greeting(NodeId to, const Sender& sender,
                                                const Hello* hello) const;
    // The first message to a node.
    [[nodiscard]] Hello greeting(NodeId to) const;
    // A life of that node has repeated its challenge.
    [[nodiscard]] bool receives(NodeId node) const;
    // The nodes whose datagrams are accepted: all voters of all gateways. Others are forgotten.
    void set_senders(const std::vector<NodeId>& nodes);

  private:
    struct Peer {
        NodeId node;
        std::uint64_t challenge = 0;
        Instance instance;  // The accepted life; 0: none.
        std::uint64_t newest = 0;
        std::array<std::uint64_t, kReplayWords> seen{};  // Bit s mod 4096: s was seen.

        // False: it was seen, or is older than the window.
        [[nodiscard]] bool take(std::uint64_t sequence);
        // It was sent just now. Earlier datagrams may be recordings.
        void take_all_until(std::uint64_t sequence);
    };
    [[nodiscard]] const Peer* find(NodeId node) const;

    Instance self_;
    std::uint64_t last_challenge_ = 0;
    std::vector<Peer> peers_;
};

}  // namespace vpnha::lease
