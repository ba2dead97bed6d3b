// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway with nothing but a replica, for a keeper alone.
#pragma once

#include "keepers/keeper.hpp"

namespace vpnha::keepers {

class FakeGateway final : public Gateway {
  public:
    FakeGateway(GatewayId id, NodeId self) : id_(id), replica_(id, self) {}

    [[nodiscard]] GatewayId id() const override { return id_; }
    [[nodiscard]] replica::Replica& replica() override { return replica_; }
    [[nodiscard]] const replica::Replica& replica() const override { return replica_; }
    [[nodiscard]] bool is_attached() const override { return true; }
    [[nodiscard]] bool is_served() const override { return replica_.promoted(); }
    [[nodiscard]] bool is_heard() const override { return replica_.promoted(); }
    void install_missing(TimePoint, Effects&) override {}
    void tell_end(const wire::RecordKey&, EndCause, TimePoint) override {}
    [[nodiscard]] std::string tag() const override { return "gateway=fake"; }

  private:
    GatewayId id_;
    replica::Replica replica_;
};

}  // namespace vpnha::keepers
