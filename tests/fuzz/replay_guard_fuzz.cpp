// SPDX-License-Identifier: GPL-2.0-or-later
// Nodes of the lease that have the key, and somebody who keeps their datagrams and sends them again
// in any order. Events, an octet each, with an operand where one follows: a node sends a Hello or
// another datagram, which arrives or is lost; a kept one comes again; a node's vpnhad starts anew,
// or this node's; the list of voters changes.
// This node takes each datagram at most once, over all of its own lives, and none of a life that
// has not shown that it speaks now.
#include <array>
#include <cstddef>
#include <vector>

#include "base/assert.hpp"
#include "cluster/lease/replay_guard.hpp"

using namespace vpnha;
using namespace vpnha::lease;

namespace {

struct Kept {
    Sender sender;
    std::uint64_t sequence = 0;
    Message message;
    bool taken = false;
};

class Exchange {
  public:
    Exchange() { guard_.set_senders(nodes_); }

    void send(std::uint8_t which, bool is_hello, bool arrives) {
        Node& node = others_[which % others_.size()];
        const Sender sender{nodes_[which % nodes_.size()], {}, node.life};
        Message message = Release{};
        if (is_hello) {
            Hello hello;
            if (const auto asked = guard_.greeting(sender.node, sender, nullptr);
                asked && asked->challenge) {
                hello.repeated = Challenge{self_, *asked->challenge};
            }
            message = hello;
        }
        kept_.push_back({sender, ++node.sequence, message});
        if (arrives) {
            take(kept_.back());
        }
    }
    void send_again(std::size_t which) {
        if (!kept_.empty()) {
            take(kept_[which % kept_.size()]);
        }
    }
    void start(std::uint8_t which) { others_[which % others_.size()] = {Instance{++lives_}, 0}; }
    void start_self() {
        self_ = Instance{++lives_};
        guard_ = ReplayGuard(self_);
        guard_.set_senders(nodes_);
    }
    void leave_out(std::uint8_t which) {
        std::vector<NodeId> some = nodes_;
        some.erase(some.begin() + which % 3);
        guard_.set_senders(some);
        guard_.set_senders(nodes_);
        VPNHA_ASSERT(!guard_.receives(nodes_[which % nodes_.size()]));
    }

  private:
    struct Node {
        Instance life;
        std::uint64_t sequence = 0;
    };

    void take(Kept& kept) {
        const bool was_received = guard_.receives(kept.sender.node);
        const ReplayGuard::Seen seen = guard_.on_datagram(kept.sender, kept.sequence, kept.message);
        if (seen == ReplayGuard::Seen::replayed || seen == ReplayGuard::Seen::unproven) {
            return;
        }
        VPNHA_ASSERT(!kept.taken);
        VPNHA_ASSERT(was_received || seen == ReplayGuard::Seen::new_life);
        VPNHA_ASSERT(guard_.receives(kept.sender.node));
        kept.taken = true;
    }

    std::vector<NodeId> nodes_{NodeId{1}, NodeId{2}, NodeId{3}};
    std::uint64_t lives_ = 4;
    Instance self_{4};
    std::array<Node, 3> others_{Node{Instance{1}, 0}, Node{Instance{2}, 0}, Node{Instance{3}, 0}};
    ReplayGuard guard_{self_};
    std::vector<Kept> kept_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Exchange exchange;
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint8_t event = data[i];
        const std::uint8_t which = event >> 4;
        switch (event % 8) {
            case 0:
            case 1:
                exchange.send(which, true, event % 8 == 0);
                break;
            case 2:
            case 3:
                exchange.send(which, false, event % 8 == 2);
                break;
            case 4:
            case 5:
                exchange.send_again(++i < size ? data[i] + std::size_t{256} * which : which);
                break;
            case 6:
                exchange.start(which);
                break;
            default:
                which % 4 == 3 ? exchange.start_self() : exchange.leave_out(which);
        }
    }
    return 0;
}
