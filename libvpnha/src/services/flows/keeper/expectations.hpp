// SPDX-License-Identifier: GPL-2.0-or-later
// The expectations of the helpers of one gateway's flows, on one node: the counterpart of
// services/flows/keeper/flows.hpp, which owns it. Pure.
//
//                 | kernel to replica                    | replica to kernel
//   --------------+--------------------------------------+---------------------------------------
//   promoted      | events, and a listing every 2 s as   | own timeouts after the promotion
//                 | long as there are any (1)            |
//   otherwise   | –                                    | all at once, after their parents; then
//               |                                      | a check of some, in turn
//
//   (1) A registration that is answered or refreshed (SIP) raises no event.
//
// An expectation is worth a record when its parent has one. A parent of the gateway without a
// record is looked up, and gets one whatever its state: the flow of a registration is answered
// once, and so never assured. The parent keeps the record as long as something is expected. A
// connection that is over expects nothing more, though its entry stays. An expectation that ends
// stays for a second: the standbys get the resulting flow before it is removed.
//
// The kernel does not report an expectation's zone. It is the one of the policy's zones (the
// default one when it names none) in which the parent is.
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

    // Where this node is promoted.
    void on_news(std::span<const conntrack::ExpectationNews> news, TimePoint now, Effects& effects);
    // It has an expectation that waits for the parent's record, or that has a record.
    [[nodiscard]] bool is_awaited(const conntrack::FlowKey& parent) const;
    [[nodiscard]] bool is_needed(const conntrack::FlowKey& parent) const;
    void on_lost(TimePoint now) { list_at_ = now; }
    // News of flows was handled: parents may have records now.
    void settle(Effects& effects);

    // The kernel's whole table.
    void on_listed(std::span<const conntrack::Expectation> table, TimePoint now, Effects& effects);

    // Where this node is not promoted. An error: it cannot be read.
    [[nodiscard]] Result<void> install(const replica::Install& wanted, TimePoint now,
                                       Effects& effects);
    void remove(const wire::RecordKey& key, Effects& effects) const;
    // Returns how many were refused.
    std::size_t on_installed(std::span<const conntrack::Installed> answers, TimePoint now);
    void on_missing(std::span<const conntrack::FlowKey> expectations, TimePoint now);

    // The replica has been promoted, demoted.
    void begin(TimePoint now);
    void end(TimePoint now);
    // Flows of an earlier vpnhad without a record have been removed. The remaining flows have their
    // records: only now expectations can be assigned to gateways.
    void on_swept(TimePoint now) { list_at_ = now; }
    // A flow with a helper has its record now. Entries that the last sweep left may belong to it:
    // it has been live here since before this vpnhad.
    void on_parent(TimePoint now) {
        if (left_some_) {
            list_at_ = list_at_.value_or(now + limits::kExpectationListingPause);
        }
    }
    // Only live entries remain.
    void detach(Effects& effects);

    void on_time(TimePoint now, Effects& effects);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  private:
    struct Waiting {
        conntrack::Expectation expectation;
        TimePoint until{};
    };

    void take(const conntrack::Expectation& expectation, TimePoint now, Effects& effects);
    // A helper that expects a flow may have changed the payload of its parent. The kernel sends no
    // event about the sequence numbers that are adjusted for it.
    void look_at_helped(const conntrack::FlowKey& parent, Effects& effects) const;
    void emit(conntrack::Expectation expectation, const conntrack::FlowKey& parent,
              Effects& effects);
    void await_parent(const conntrack::Expectation& expectation, TimePoint now, Effects& effects);
    void on_end(const conntrack::Expectation& expectation, TimePoint now);
    void erase_ended(TimePoint now, Effects& effects);
    void look_after_parent(const conntrack::FlowKey& parent, Effects& effects) const;
    void sweep(std::span<const conntrack::Expectation> table, Effects& effects);
    void look_after_some(TimePoint now, Effects& effects);
    // The keys of its possible records: in each of the zones in which it may be.
    [[nodiscard]] std::vector<conntrack::FlowKey> places_of(const conntrack::FlowKey& key) const;
    [[nodiscard]] std::optional<conntrack::FlowKey> held_parent(
        const conntrack::FlowKey& parent) const;
    [[nodiscard]] std::optional<conntrack::Expectation> held(const conntrack::FlowKey& key) const;

    GatewayId gateway_;
    const conntrack::Policy& policy_;
    replica::Replica& replica_;
    FlowCounters& counters_;
    std::map<conntrack::FlowKey, Waiting> waiting_;   // For their parents; in no zone.
    std::map<conntrack::FlowKey, TimePoint> ending_;  // When their records are erased.
    std::optional<TimePoint> list_at_;
    bool left_some_ = false;  // The last sweep left entries of unknown parents.
    std::optional<TimePoint> look_at_;
    wire::RecordKey looked_after_;
};

}  // namespace vpnha::keepers
