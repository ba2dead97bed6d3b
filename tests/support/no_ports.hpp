// SPDX-License-Identifier: GPL-2.0-or-later
// Ports behind which there is nothing: for nodes and executors of which other parts are looked at.
#pragma once

#include "ports/neighbours.hpp"
#include "ports/network.hpp"
#include "ports/services.hpp"
#include "protocols/backend.hpp"

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

struct NoServices final : ports::Services {
    Result<void> reset(GatewayId, Done when_done) override {
        done = std::move(when_done);
        return {};
    }
    Result<void> end(GatewayId) override { return {}; }
    void watch(GatewayId) override {}

    Done done;  // Of the last reset(), which does not end by itself.
};

// Takes the work of each protocol.
struct NoBackend final : ports::Backend {
    [[nodiscard]] bool execute(effects::ProtocolWork&) override { return true; }
};

}  // namespace vpnha::test
