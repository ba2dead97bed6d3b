// SPDX-License-Identifier: GPL-2.0-or-later
// What the helpers of one gateway's flows expect, on one node: the counterpart of
// services/flows/keeper/flows.hpp, which owns it. Pure.
//
//                 | kernel to replica                    | replica to kernel
//   --------------+--------------------------------------+---------------------------------------
//   promoted      | events, and a listing every 2 s as   | own timeouts after the promotion
//                 | long as there are any (1)            |
//   otherwise     | –                                    | all at once, behind their parents; then
//                 |                                      | a look after some, in turn
//
//   (1) A registration that is answered or refreshed (SIP) raises no event.
//
// An expectation is worth a record when its parent has one. A parent without one is looked up, and
// gets one whatever its state, if it is one of the gateway's: the flow of a registration is
// answered once, and so never assured. It keeps it as long as something is expected.
// Of a connection that is over nothing is expected any more, though its entry lives on. What ends
// stays for a second: the flow that it has become is with the standbys before it goes.
//
// The kernel does not say an expectation's zone. It is that of the policy's zones (the default one
// when it names none) in which the parent is.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>

#include "base/limits.hpp"
#include "protocols/keeper.hpp"
#include "services/flows/keeper/flow_counters.hpp"
#include "services/flows/model/expectation.hpp"
#include "services/flows/model/policy.hpp"
#include "services/flows/model/standby.hpp"

namespace vpnha::keepers {

class Expectations {
  public:
    // All of them must outlive it.
    Expectations(GatewayId gateway, const conntrack::Policy& policy, replica::Replica& replica,
                 FlowCounters& counters)
        : gateway_(gateway), policy_(policy), replica_(replica), counters_(counters) {}
    Expectations(const Expectations&) = delete;
    Expectations& operator=(const Expectations&) = delete;

    // Promoted.
    void on_news(std::span<const conntrack::ExpectationNews> news, TimePoint now, Effects& effects);
    // Something is expected because of it, and waits for its record; has a record.
    [[nodiscard]] bool is_awaited(const conntrack::FlowKey& parent) const;
    [[nodiscard]] bool is_needed(const conntrack::FlowKey& parent) const;
    void on_lost(TimePoint now) { list_at_ = now; }
    // News of flows was taken in: parents may have records now.
    void settle(Effects& effects);

    // The kernel's whole table.
    void on_listed(std::span<const conntrack::Expectation> table, TimePoint now, Effects& effects);

    // Otherwise. An error: it cannot be read.
    [[nodiscard]] Result<void> install(const replica::Install& wanted, TimePoint now,
                                       Effects& effects);
    void remove(const wire::RecordKey& key, Effects& effects) const;
    // How many were refused.
    std::size_t on_installed(std::span<const conntrack::Installed> answers, TimePoint now);
    void on_missing(std::span<const conntrack::FlowKey> expectations, TimePoint now);

    // The replica has been promoted, demoted.
    void begin(TimePoint now);
    void end(TimePoint now);
    // Flows that an earlier vpnhad left, and no record wants, have been removed. Those that are
    // left have their records: only now it can be told whose the expectations are.
    void on_swept(TimePoint now) { list_at_ = now; }
    // A flow with a helper has its record now. What the last sweep left may be because of it: it
    // lives here since before this vpnhad.
    void on_parent(TimePoint now) {
        if (left_some_) {
            list_at_ = list_at_.value_or(now + limits::kExpectationListingPause);
        }
    }
    // Only what is live remains.
    void detach(Effects& effects);

    void on_time(TimePoint now, Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Waiting {
        conntrack::Expectation expectation;
        TimePoint until{};
    };

    void take(const conntrack::Expectation& expectation, TimePoint now, Effects& effects);
    // A helper that expects a flow may have changed what is said in its parent. Of the sequence
    // numbers that are adjusted for it the kernel has no event.
    void look_at_helped(const conntrack::FlowKey& parent, Effects& effects) const;
    void say(conntrack::Expectation expectation, const conntrack::FlowKey& parent,
             Effects& effects);
    void await_parent(const conntrack::Expectation& expectation, TimePoint now, Effects& effects);
    void on_end(const conntrack::Expectation& expectation, TimePoint now);
    void erase_ended(TimePoint now, Effects& effects);
    void look_after_parent(const conntrack::FlowKey& parent, Effects& effects) const;
    void sweep(std::span<const conntrack::Expectation> table, Effects& effects);
    void look_after_some(TimePoint now, Effects& effects);
    // As it may have a record: in each of the zones in which it may be.
    [[nodiscard]] std::vector<conntrack::FlowKey> places_of(const conntrack::FlowKey& key) const;
    [[nodiscard]] std::optional<conntrack::FlowKey> held_parent(
        const conntrack::FlowKey& parent) const;
    [[nodiscard]] std::optional<conntrack::Expectation> held(const conntrack::FlowKey& key) const;

    GatewayId gateway_;
    const conntrack::Policy& policy_;
    replica::Replica& replica_;
    FlowCounters& counters_;
    std::map<conntrack::FlowKey, Waiting> waiting_;   // For their parents; in no zone.
    std::map<conntrack::FlowKey, TimePoint> ending_;  // When their records go.
    std::optional<TimePoint> list_at_;
    bool left_some_ = false;  // The last sweep, whose parents had no record.
    std::optional<TimePoint> look_at_;
    wire::RecordKey looked_after_;
};

}  // namespace vpnha::keepers
