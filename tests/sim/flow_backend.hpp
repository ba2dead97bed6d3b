// SPDX-License-Identifier: GPL-2.0-or-later
// A node's way to its kernel's flows, as services/flows/backend/flow_backend.hpp: work in the order
// given and in slices, events that are read a while after they happened and are lost when they are
// too many, listings that take their time.
#pragma once

#include <deque>
#include <map>
#include <variant>
#include <vector>

#include "cluster/node/node.hpp"
#include "services/flows/work.hpp"
#include "sim/agenda.hpp"
#include "sim/flow_table.hpp"
#include "sim/story.hpp"
#include "support/random.hpp"

namespace vpnha::sim {

class FlowBackend {
  public:
    using Call = std::function<effects::Effects(node::Node&, TimePoint)>;
    // Into the node's queue of events; it is gone with vpnhad.
    using Post = std::function<void(Call)>;

    FlowBackend(NodeId machine, Agenda& agenda, test::Random& random, Story& story, Post post);
    FlowBackend(const FlowBackend&) = delete;
    FlowBackend& operator=(const FlowBackend&) = delete;

    void execute(const node::FlowWork& work);
    // All that was asked for is done at once.
    effects::Effects finish(node::Node& node, TimePoint now);
    // vpnhad is gone.
    void reset();

    [[nodiscard]] FlowTable& table() { return table_; }
    [[nodiscard]] const FlowTable& table() const { return table_; }

    // Faults. What happens until all that is unread has been read is lost.
    void overrun();
    unsigned failing_listings_percent = 0;

  private:
    using Work =
        std::variant<node::LookUpFlows, node::InstallFlows, node::RemoveFlows,
                     node::SetFlowTimeouts, node::ListExpectations, node::InstallExpectations,
                     node::RemoveExpectations, node::SetExpectationTimeouts>;
    struct Watch {
        conntrack::Policy policy;
        std::deque<std::variant<conntrack::News, conntrack::ExpectationNews>> unread;
        bool congested = false;
    };
    struct Listing {
        std::uint64_t number = 0;
        std::vector<conntrack::News> read;  // The next portion, as the table was.
        std::optional<conntrack::FlowKey> last;
        bool done = false;
    };

    void execute(const node::WatchFlows& wanted);
    void execute(const node::UnwatchFlows& wanted);
    void execute(const node::ListFlows& wanted);
    void execute(const node::LookUpFlows& wanted);
    void execute(const node::InstallFlows& wanted);
    void execute(const node::RemoveFlows& wanted);
    void execute(const node::SetFlowTimeouts& wanted);
    void execute(const node::ListExpectations& wanted);
    void execute(const node::InstallExpectations& wanted);
    void execute(const node::RemoveExpectations& wanted);
    void execute(const node::SetExpectationTimeouts& wanted);
    void later(Duration delay, Call call);
    // In slices.
    template <class Batch, class Each>
    void add(const Batch& batch, const std::vector<Each>& wanted);
    // Those that wait to be set.
    void forget_timeouts(GatewayId gateway);
    void schedule_work();
    effects::Effects work(node::Node& node, TimePoint now);
    effects::Effects work_off(const node::LookUpFlows& look, node::Node& node, TimePoint now);
    effects::Effects work_off(const node::InstallFlows& install, node::Node& node, TimePoint now);
    effects::Effects work_off(const node::RemoveFlows& remove, node::Node& node, TimePoint now);
    effects::Effects work_off(const node::SetFlowTimeouts& timeouts, node::Node& node,
                              TimePoint now);
    effects::Effects work_off(const node::ListExpectations& list, node::Node& node, TimePoint now);
    effects::Effects work_off(const node::InstallExpectations& install, node::Node& node,
                              TimePoint now);
    effects::Effects work_off(const node::RemoveExpectations& remove, node::Node& node,
                              TimePoint now);
    effects::Effects work_off(const node::SetExpectationTimeouts& timeouts, node::Node& node,
                              TimePoint now);
    void read_ahead(Listing& listing);
    void schedule_listing(GatewayId gateway, std::uint64_t number);
    effects::Effects continue_listing(GatewayId gateway, node::Node& node, TimePoint now);
    void handle(const conntrack::News& news);
    void handle(const conntrack::ExpectationNews& news);
    template <class News>
    void deliver(GatewayId gateway, Watch& watch, const News& news);
    void notify(std::string_view how, const conntrack::News& news);
    void notify(std::string_view how, const conntrack::ExpectationNews& news);
    void schedule_read(GatewayId gateway);
    effects::Effects read(GatewayId gateway, node::Node& node, TimePoint now);

    NodeId machine_;
    Agenda& agenda_;
    test::Random& random_;
    Story& story_;
    Post post_;
    FlowTable table_;
    std::uint64_t life_ = 0;  // Number of the vpnhad.
    std::deque<Work> waiting_;
    bool work_due_ = false;
    std::map<GatewayId, Watch> watches_;
    std::map<GatewayId, Listing> listings_;
    std::uint64_t last_listing_ = 0;
};

}  // namespace vpnha::sim
