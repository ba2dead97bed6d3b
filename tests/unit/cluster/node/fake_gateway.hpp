// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway with nothing but a replica, for a keeper alone; or for one with what it has installed.
#pragma once

#include <deque>
#include <utility>

#include "protocols/keeper.hpp"

namespace vpnha::keepers {

class FakeGateway : public Gateway {
  public:
    FakeGateway(GatewayId id, NodeId self) : replica_(id, self), clock_(id), id_(id) {}
    virtual ~FakeGateway() = default;
    FakeGateway(const FakeGateway&) = delete;
    FakeGateway& operator=(const FakeGateway&) = delete;

    [[nodiscard]] GatewayId id() const override { return id_; }
    [[nodiscard]] replica::Replica& replica() override { return replica_; }
    [[nodiscard]] const replica::Replica& replica() const override { return replica_; }
    [[nodiscard]] bool is_attached() const override { return true; }
    [[nodiscard]] bool is_served() const override { return replica_.promoted(); }
    [[nodiscard]] bool is_received() const override { return replica_.promoted(); }
    [[nodiscard]] const replica::GatewayClock& clock() const override { return clock_; }
    void install_missing(TimePoint, Effects&) override {}
    void report_end(const wire::RecordKey&, EndCause, TimePoint) override {}
    void report_usage(const Usage&, TimePoint, Effects&) override {}
    [[nodiscard]] bool lives(const wire::RecordKey&, TimePoint) const override { return true; }
    void visit_ppp_sessions(const VisitSession&) const override {}
    [[nodiscard]] std::uint32_t tunnel_type_of(wire::RecordType) const override { return 0; }
    [[nodiscard]] std::string tag() const override { return "gateway=fake"; }

  protected:
    // What a replica wants of the keeper of its records, at once; what it says is `sent`.
    static void carry_out(replica::Effects&& from, Keeper& keeper, std::deque<wire::Message>& sent,
                          TimePoint now, Effects& effects) {
        for (replica::Effect& effect : from) {
            if (auto* send = std::get_if<replica::Send>(&effect)) {
                sent.push_back(std::move(send->message));
            } else if (auto* wanted = std::get_if<replica::Install>(&effect)) {
                keeper.install(*wanted, now, effects);
            } else if (auto* remove = std::get_if<replica::Remove>(&effect)) {
                keeper.remove(remove->key, effects);
            } else if (std::holds_alternative<replica::Completed>(effect)) {
                keeper.on_in_sync(now);
            }
        }
    }

    replica::Replica replica_;
    replica::GatewayClock clock_;

  private:
    GatewayId id_;
};

}  // namespace vpnha::keepers
