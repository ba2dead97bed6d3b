// SPDX-License-Identifier: GPL-2.0-or-later
// The flows of one gateway on one node: joins the kernel's news, the replica and the kernel's
// table. Pure.
//
//               | kernel to replica                    | replica to kernel
//   ------------+--------------------------------------+-----------------------------------------
//   promoted    | events, and a listing of the table   | own timeouts for flows without a packet
//               | after the promotion, a loss, and     | since the promotion, including those
//               | when there is room again             | that were being installed then
//   otherwise   | –                                    | all at once; then a check of some, in
//               |                                      | turn: they get their timeout again, and
//               |                                      | missing flows are installed again.
//               |                                      | After the replica has become complete,
//               |                                      | and after a demotion, a listing: flows
//               |                                      | of an earlier vpnhad are removed
//
// Expectations of helpers are handled the same way (services/flows/keeper/expectations.hpp). A
// standby receives no events: each of its own installations would cause one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>

#include "protocols/keeper.hpp"
#include "services/flows/keeper/expectations.hpp"
#include "services/flows/keeper/flow_counters.hpp"
#include "services/flows/model/policy.hpp"
#include "services/flows/model/standby.hpp"
#include "services/flows/model/tracker.hpp"
#include "services/flows/work.hpp"

namespace vpnha::keepers {

struct FlowSettings {
    bool replicate = false;
    conntrack::Policy policy;
};

class Flows final : public Keeper {
  public:
    // `gateway` must outlive it.
    Flows(Gateway& gateway, FlowSettings settings);

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }

    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey& key, Effects& effects) override;
    void on_in_sync(TimePoint now) override;
    void on_replica(TimePoint, Effects&) override {}
    // This keeper drives the replica's promotion and demotion: the kernel's flows need no lease,
    // and no step of a takeover.
    void follow(TimePoint now, Effects& effects) override;
    void promote(TimePoint, Effects&) override {}
    void pause(Effects&) override {}
    void unpause(TimePoint, Effects&) override {}
    void mute(Effects&) override {}
    void detach(Effects& effects) override;

    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] Counts counts() const override;
    [[nodiscard]] Status status(TimePoint) const override;
    [[nodiscard]] const FlowCounters& counters() const { return counters_; }

  private:
    static constexpr std::array kTypes{wire::RecordType::flow, wire::RecordType::expectation};

    void handle(const node::FlowNews& received, TimePoint now, Effects& effects);
    void handle(const node::FlowNewsLost& lost, TimePoint now, Effects& effects);
    void handle(const node::FlowsListed& listed, TimePoint now, Effects& effects);
    void handle(const node::FlowsInstalled& installed, TimePoint now, Effects& effects);
    void handle(const node::FlowsMissing& missing, TimePoint now, Effects& effects);
    void handle(const node::ExpectationNews& received, TimePoint now, Effects& effects);
    void handle(const node::ExpectationsListed& listed, TimePoint now, Effects& effects);
    void handle(const node::ExpectationsInstalled& installed, TimePoint now, Effects& effects);
    void handle(const node::ExpectationsMissing& missing, TimePoint now, Effects& effects);

    // `entry`: the key of the kernel's entry, which differs for half a call of PPTP.
    void on_one(const conntrack::News& news, const conntrack::FlowKey& entry, TimePoint now,
                Effects& effects);
    // The flow of its record; without one, the reported flow. The end of a flow that was looked up
    // comes with its key alone.
    [[nodiscard]] conntrack::Flow as_held(const conntrack::Flow& flow) const;
    // Ends the calls of a control connection that has ended.
    void end_calls(const conntrack::Flow& control, TimePoint now, Effects& effects);
    void end_orphaned_calls(TimePoint now, Effects& effects);
    // Renews live calls in the kernel, long before their timeout.
    void renew_calls(TimePoint now, Effects& effects);
    void forget_calls();
    [[nodiscard]] std::vector<conntrack::Flow> gre() const;
    // `one`: a control connection or half a call. `except` does not count.
    [[nodiscard]] bool has_control(const conntrack::Flow& one,
                                   const conntrack::FlowKey& except) const;
    // Flows with the same protocol and zone from the one host to the other; an identity ends with
    // the parts.
    [[nodiscard]] std::vector<conntrack::Flow> between(conntrack::FlowKey hosts) const;
    void decide(const conntrack::Decision& decision, const conntrack::FlowKey& entry, TimePoint now,
                Effects& effects);
    void emit(const conntrack::Decision& decision, TimePoint now);
    // Flows that found no room, and have no event any more, may have room now.
    void look_for_room(TimePoint now);
    // The flow is as the standby installed it: it gets its own timeout, or without a record the
    // usual one. Returns the news with that timeout in place of the installed one.
    conntrack::News revive(conntrack::News news, Effects& effects) const;
    void sweep(const conntrack::News& news, Effects& effects);
    [[nodiscard]] Result<void> install_flow(const replica::Install& wanted, TimePoint now,
                                            Effects& effects);
    void begin_listing(Effects& effects);
    // Erases records of flows that were not listed, after the listing.
    void erase_some_unlisted(TimePoint now, Effects& effects);
    void look_after_some(TimePoint now, Effects& effects);
    void hurry(TimePoint now);
    void complain(const std::string& what, TimePoint now, Effects& effects);

    Gateway& gateway_;
    FlowSettings settings_;
    replica::Replica& replica_;                  // The gateway's.
    std::optional<conntrack::Tracker> tracker_;  // Promoted.
    std::optional<TimePoint> list_at_;
    bool listing_ = false;  // Until flows that were not listed are erased.
    struct Unlisted {
        TimePoint at{};
        wire::RecordKey after;
        std::size_t gone = 0;
    };
    std::optional<Unlisted> unlisted_;
    std::optional<TimePoint> room_at_;  // Flows found no room since the last listing began.
    std::optional<TimePoint> look_at_;
    wire::RecordKey looked_after_;
    bool hurried_ = false;  // Until all have had their turn.
    std::optional<TimePoint> orphans_at_;
    std::set<conntrack::FlowKey> orphans_;  // Halves of calls, as of the last check.
    std::optional<TimePoint> renew_at_;
    std::set<conntrack::FlowKey> renewed_;  // Requested: the end of the old entry is no end.
    std::optional<TimePoint> complained_at_;
    FlowCounters counters_;
    Expectations expectations_;
};

}  // namespace vpnha::keepers
