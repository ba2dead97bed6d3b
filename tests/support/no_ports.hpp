// SPDX-License-Identifier: GPL-2.0-or-later
// Ports behind which there is nothing: for nodes and executors of which other parts are looked at.
#pragma once

#include "ports/flows.hpp"
#include "ports/neighbours.hpp"
#include "ports/network.hpp"
#include "ports/services.hpp"
#include "ports/session_kernel.hpp"

namespace vpnha::test {

struct NoNetwork final : ports::Network {
    Result<void> add_addresses(GatewayId) override { return {}; }
    Result<void> remove_addresses(GatewayId) override { return {}; }
    Result<std::string> missing(GatewayId) override { return {}; }
    Result<void> forget_unresolved(GatewayId) override { return {}; }
    Result<void> announce(GatewayId) override { return {}; }
};

struct NoNeighbours final : ports::Neighbours {
    void ask(GatewayId, LinkSide) override {}
};

struct NoFlows : ports::Flows {
    void watch(GatewayId, const conntrack::Policy&) override {}
    void unwatch(GatewayId) override {}
    void list(GatewayId) override {}
    void look_up(GatewayId, std::vector<conntrack::FlowKey>) override {}
    void install(GatewayId, std::vector<conntrack::Wanted>) override {}
    void remove(GatewayId, std::vector<conntrack::FlowKey>) override {}
    void set_timeouts(GatewayId, std::vector<conntrack::Timeout>) override {}
    void list_expectations(GatewayId) override {}
    void install_expectations(GatewayId, std::vector<conntrack::WantedExpectation>) override {}
    void remove_expectations(GatewayId, std::vector<conntrack::FlowKey>) override {}
    void set_expectation_timeouts(GatewayId, std::vector<conntrack::Timeout>) override {}
    void finish() override {}
};

struct NoServices final : ports::Services {
    Result<void> reset(GatewayId, Done) override { return {}; }
    Result<void> end(GatewayId) override { return {}; }
    void watch(GatewayId) override {}
};

struct NoSessions : ports::SessionKernel {
    Result<void> install(GatewayId, const l2tp::SessionRecord&) override { return {}; }
    Result<void> remove(GatewayId, const l2tp::SessionKey&) override { return {}; }
    Result<std::set<l2tp::SessionKey>> audit(GatewayId) override {
        return std::set<l2tp::SessionKey>{};
    }
    [[nodiscard]] std::string interface_of(const l2tp::SessionKey&) const override { return {}; }
    Result<void> send_datagram(GatewayId, const l2tp::TunnelKey&, ByteView) override { return {}; }
    Result<void> send_frame(GatewayId, const l2tp::SessionKey&, ByteView) override { return {}; }
};

}  // namespace vpnha::test
