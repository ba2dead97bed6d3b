// SPDX-License-Identifier: GPL-2.0-or-later
// The group as corosync makes it: rings, agreed order within a ring, and what becomes of both when
// a node falls silent.
//
// - Whoever has the token puts its messages in order; each member gets them in that order, at its
//   own time. What a node says is in its queue until then, and the queue has an end.
// - A ring of which one member is down, stands still or cannot be reached puts nothing in order.
//   After the token's time and the consensus' time those who hear each other form rings.
// - Virtual synchrony: members of one ring that go to the same new ring get the same messages
//   before they hear of it: all that one of them has received or said. What only others have
//   received is lost to them.
// - Then they hear who is gone, and then who is there now, with the quorum of that moment. Between
//   two messages of one ring a process that joins or leaves is heard of in order, too.
// - A link that carries in one direction only is none.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <variant>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "sim/agenda.hpp"
#include "sim/plan.hpp"
#include "sim/story.hpp"

namespace vpnha::sim {

struct Membership {
    std::set<NodeId> members;
    bool quorate = false;
};
struct GroupMessage {
    NodeId sender;
    Bytes bytes;
};
using Delivery = std::variant<Membership, GroupMessage>;

class Totem {
  public:
    using Deliver = std::function<void(NodeId, const Delivery&)>;

    Totem(Agenda& agenda, test::Random& random, Story& story, const Plan& plan, Deliver deliver);

    // Corosync of a node starts or ends; without it there is no process of ours either.
    void start(NodeId node);
    void stop(NodeId node);
    // The whole machine, or Corosync alone, stands still: it neither hears nor speaks.
    void pause(NodeId node, bool paused);
    // Whether `to` hears `from`.
    void set_link(NodeId from, NodeId to, bool carries);
    void heal_links();
    // The same for Corosync alone: all other datagrams get through.
    void set_ring_link(NodeId from, NodeId to, bool carries);
    void heal_ring_links();
    // The cluster's links carry any number of messages from now on.
    void widen() { narrow_ = false; }
    [[nodiscard]] bool carries(NodeId from, NodeId to) const {
        return !broken_.contains({from, to});
    }

    // vpnhad enters and leaves the group.
    void join(NodeId node);
    void leave(NodeId node);
    // False: try again later.
    [[nodiscard]] bool send(NodeId node, Bytes bytes);

    // As the node's ring has it now.
    [[nodiscard]] std::set<NodeId> ring_of(NodeId node) const;
    [[nodiscard]] bool is_quorate(NodeId node) const;
    // Messages get through, and none waits at the node.
    [[nodiscard]] bool is_idle(NodeId node) const;
    [[nodiscard]] bool is_working(NodeId node) const;
    [[nodiscard]] bool is_paused(NodeId node) const { return members_.at(node).paused; }
    [[nodiscard]] std::uint64_t messages() const { return messages_; }

  private:
    struct Entry {
        std::uint64_t number = 0;
        TimePoint at{};  // When the member receives it.
        Delivery content;
        std::set<NodeId> first_received;  // Processes that hear the group from here on.
    };
    struct Ring {
        std::set<NodeId> members;
        std::set<NodeId> processes;
        std::uint64_t entries = 0;
        bool forming = false;    // Consensus is sought: nothing continues here any more.
        TimePoint carried_at{};  // All that was put in order is through by then.
    };
    struct Join {};
    struct Leave {};
    using Queued = std::variant<Join, Leave, Bytes>;
    struct Member {
        std::shared_ptr<Ring> ring;  // None: down.
        bool paused = false;
        bool process = false;    // vpnhad runs.
        bool listening = false;  // It has heard of its own joining.
        bool visit_due = false;
        std::deque<Queued> queue;
        std::deque<Entry> coming;
        std::uint64_t received = 0;  // Number of the last entry of this ring.
        TimePoint last_at{};
    };

    void changed();
    void reform();
    [[nodiscard]] std::vector<std::set<NodeId>> sides() const;
    void form(const std::set<NodeId>& side);
    std::map<NodeId, std::set<NodeId>> recover(const std::set<NodeId>& side);
    [[nodiscard]] bool reach_each_other(NodeId a, NodeId b) const;
    [[nodiscard]] bool works(const Ring& ring) const;
    [[nodiscard]] bool quorate(const Ring& ring) const;
    [[nodiscard]] static bool leaves(const Member& member);
    void schedule_visit(NodeId node);
    void visit(NodeId node);
    // When what is put in order now is through, on a ring that carries little.
    [[nodiscard]] TimePoint carried(Ring& ring, std::size_t bytes) const;
    void put_in_order(Ring& ring, const Delivery& content, const std::set<NodeId>& first_received);
    void schedule_arrival(NodeId node);
    void arrive(NodeId node);
    void receive(NodeId node, const Entry& entry);

    Agenda& agenda_;
    test::Random& random_;
    Story& story_;
    const Plan& plan_;
    Deliver deliver_;
    std::map<NodeId, Member> members_;
    std::set<std::pair<NodeId, NodeId>> broken_;
    std::set<std::pair<NodeId, NodeId>> broken_for_rings_;
    bool check_due_ = false;
    bool narrow_ = true;
    std::uint64_t messages_ = 0;
};

}  // namespace vpnha::sim
