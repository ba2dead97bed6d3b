// SPDX-License-Identifier: GPL-2.0-or-later
// The keepers of one gateway, each found by a record's type, and what they see of the gateway.
// Pure. What all of them are told, each is told in the order of the families.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/accounting.hpp"
#include "cluster/gateway/attachment.hpp"
#include "cluster/lease/engine.hpp"
#include "cluster/replica/replica.hpp"
#include "cluster/takeover/takeover.hpp"
#include "protocols/families.hpp"

namespace vpnha::node {

class KeeperList final : public keepers::Gateway {
  public:
    // The parts of the gateway that keepers see. They outlive the list.
    struct Parts {
        GatewayId id{};
        const std::string& name;
        const Attachment& attachment;
        replica::Replica& replica;
        const takeover::Takeover& takeover;
        const lease::Engine& lease;
        const replica::GatewayClock& clock;
    };
    KeeperList(const Parts& parts, const keepers::Settings& settings,
               std::span<const keepers::Make> families);
    KeeperList(const KeeperList&) = delete;
    KeeperList& operator=(const KeeperList&) = delete;

    [[nodiscard]] GatewayId id() const override { return parts_.id; }
    [[nodiscard]] replica::Replica& replica() override { return parts_.replica; }
    [[nodiscard]] const replica::Replica& replica() const override { return parts_.replica; }
    [[nodiscard]] bool is_attached() const override { return parts_.attachment.attached(); }
    [[nodiscard]] bool is_served() const override { return parts_.takeover.serves(); }
    [[nodiscard]] bool is_received() const override { return parts_.lease.holder().serving(); }
    [[nodiscard]] const replica::GatewayClock& clock() const override { return parts_.clock; }
    void install_missing(TimePoint now, Effects& effects) override;
    void report_end(const wire::RecordKey& session, EndCause cause, TimePoint now) override;
    void report_usage(const keepers::Usage& usage, TimePoint now, Effects& effects) override;
    [[nodiscard]] bool lives(const wire::RecordKey& session, TimePoint now) const override;
    void visit_ppp_sessions(const VisitSession& visit) const override;
    [[nodiscard]] std::uint32_t tunnel_type_of(wire::RecordType type) const override;
    [[nodiscard]] std::string tag() const override;

    // By the record's type; what no keeper has is set aside.
    void install(const replica::Install& wanted, TimePoint now, Effects& effects);
    void remove(const wire::RecordKey& key, Effects& effects);

    // As keepers::Keeper has them.
    void on_in_sync(TimePoint now);
    void on_replica(TimePoint now, Effects& effects);
    void follow(TimePoint now, Effects& effects);
    void on_addresses(Effects& effects);
    void on_open(TimePoint now, Effects& effects);
    void promote(TimePoint now, Effects& effects);
    void pause(Effects& effects);
    void unpause(TimePoint now, Effects& effects);
    void mute(Effects& effects);
    void detach(Effects& effects);
    [[nodiscard]] Result<void> end(const wire::RecordKey& key, TimePoint now, Effects& effects);
    [[nodiscard]] Result<ppp::Terms> change(const wire::RecordKey& key,
                                            const ppp::TermsChange& change, TimePoint now,
                                            Effects& effects);
    void on_event(const KeeperEvent& event, TimePoint now, Effects& effects);
    void on_time(TimePoint now, Effects& effects);
    [[nodiscard]] bool have_turned() const;
    [[nodiscard]] bool take_packets() const;
    [[nodiscard]] Duration lets_out() const;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;
    [[nodiscard]] std::vector<keepers::SessionView> sessions(
        const keepers::ListPart& part = {}) const;
    [[nodiscard]] keepers::SessionTotals session_totals() const;
    [[nodiscard]] keepers::Counts counts() const;
    [[nodiscard]] Status status(TimePoint now) const;

    // Those with numbers that nobody may use twice.
    [[nodiscard]] std::vector<keepers::Counted*> counted() const;
    // Of that class; nullptr: this node has no such family.
    template <class Family>
    [[nodiscard]] const Family* find() const {
        for (const auto& each : keepers_) {
            if (const auto* family = dynamic_cast<const Family*>(each.get())) {
                return family;
            }
        }
        return nullptr;
    }

  private:
    // nullptr: this release does not know the type.
    [[nodiscard]] keepers::Keeper* keeper_of(wire::RecordType type) const;

    Parts parts_;
    std::vector<std::unique_ptr<keepers::Keeper>> keepers_;
};

}  // namespace vpnha::node
