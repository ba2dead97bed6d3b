// SPDX-License-Identifier: GPL-2.0-or-later
// Pacemaker as the gateways know it: with quorum it attaches them everywhere, promotes each at the
// node with the best score, and has lost nodes switched off before. Without quorum it does nothing
// (no-quorum-policy=freeze). Its own words go through the group, too: while the ring forms anew it
// neither orders anything nor hears what came of it, and it hears of it after what the node has
// said before.
//
// Where nodes stand in it knows no more of them than what it has ordered, what came of it, and what
// its monitors say now and then: it promotes a node beside one that stands in, and has to be told
// that another one stands in for the one that it takes for promoted.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "sim/machine.hpp"
#include "sim/totem.hpp"

namespace vpnha::sim {

using Machines = std::map<NodeId, std::unique_ptr<Machine>>;

class Pacemaker {
  public:
    // `fence` switches a machine off, `recover` ends its vpnhad, which starts again later.
    using Act = std::function<void(NodeId)>;
    // A demotion, or a stop, is about to reach the node.
    using Order = std::function<void(NodeId, GatewayId)>;

    Pacemaker(Agenda& agenda, test::Random& random, Story& story, const Plan& plan,
              const Totem& totem, Machines& machines, Act fence, Act recover, Order on_order);

    void start();
    // The gateway that is silent at the node once this request has succeeded.
    [[nodiscard]] std::optional<GatewayId> silenced_by(RequestToken request) const;
    void on_answer(NodeId node, const effects::AnswerRequest& answer);

    // The administrator.
    void move(GatewayId gateway);
    void set_standby(NodeId node, bool standby);
    // The gateway is to be at that node wherever it runs: a constraint with an infinite score.
    void prefer(GatewayId gateway, std::optional<NodeId> node);
    // The administrator, and fencing, are well again.
    void end_faults();

    // The node that it takes for the gateway's promoted one.
    [[nodiscard]] std::optional<NodeId> promoted(GatewayId gateway) const;

  private:
    enum class Action { attach, promote, demote, detach };
    struct Operation {
        Action action;
        GatewayId gateway;
        NodeId node;
        std::uint64_t process;
        TimePoint until;
        bool answered = false;
    };
    struct Lost {
        TimePoint at{};
        bool off = false;  // To be switched off; otherwise it is taken for dead.
        std::optional<RequestToken> marks = std::nullopt;  // Asked for.
        bool delayed = false;
    };

    void tick();
    void look(const std::set<NodeId>& ring);
    void fence_lost();
    // Fencing of that node does not end now.
    [[nodiscard]] bool fencing_fails(NodeId node, Lost& lost);
    // What Pacemaker makes of it; nullopt: it may not be promoted.
    [[nodiscard]] std::optional<int> score_of(GatewayId gateway, NodeId node) const;
    // Has another node fence it by marks; nullopt: no node could.
    [[nodiscard]] std::optional<RequestToken> ask_for_marks(NodeId victim);
    // True when the answer was about a fencing.
    bool on_fenced(const effects::AnswerRequest& answer);
    void drop_operations();
    // It takes that node for one that is promoted, or on its way from or to it.
    [[nodiscard]] bool serves(GatewayId gateway, NodeId node) const;
    // It is to be demoted: it fell silent by itself, or what was ordered has failed.
    [[nodiscard]] bool has_failed(GatewayId gateway, NodeId node);
    void manage(GatewayId gateway, const std::set<NodeId>& ring);
    bool end_surplus(GatewayId gateway, const std::set<NodeId>& ring);
    void promote_best(GatewayId gateway, const std::set<NodeId>& ring);
    // A promoted node with less than the best score is demoted for it.
    void move_to_better(GatewayId gateway, const std::set<NodeId>& ring);
    // Those with the best score, if it is above `least`.
    [[nodiscard]] std::vector<NodeId> best_of(GatewayId gateway, const std::set<NodeId>& ring,
                                              int least) const;
    void order(Action action, GatewayId gateway, NodeId node);
    void carry_out(RequestToken token);
    [[nodiscard]] bool busy(GatewayId gateway) const;
    [[nodiscard]] bool pending(Action action, GatewayId gateway, NodeId node) const;
    [[nodiscard]] bool may_serve(NodeId node) const;

    Agenda& agenda_;
    test::Random& random_;
    Story& story_;
    const Plan& plan_;
    const Totem& totem_;
    Machines& machines_;
    Act fence_;
    Act recover_;
    Order on_order_;
    test::Random of_fencing_;
    bool calm_ = false;
    std::map<GatewayId, NodeId> preferred_;

    std::set<NodeId> online_;
    std::map<NodeId, Lost> lost_;
    std::set<NodeId> condemned_;
    std::set<NodeId> standby_;
    std::map<RequestToken, Operation> operations_;
    std::map<std::pair<GatewayId, NodeId>, std::uint64_t> promoted_;  // By which process.
    std::map<std::pair<GatewayId, NodeId>, TimePoint> avoided_;       // Until then.
    std::set<std::pair<GatewayId, NodeId>> failed_;
    RequestToken next_ = 1;
};

}  // namespace vpnha::sim
