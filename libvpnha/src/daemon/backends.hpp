// SPDX-License-Identifier: GPL-2.0-or-later
// The backends of this node, one for each protocol that a gateway has: opened together, and from
// then on known by what a backend is.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cluster/node/node.hpp"
#include "config/config.hpp"
#include "daemon/protocol.hpp"
#include "host/os/qb_loop.hpp"
#include "ports/gate.hpp"
#include "protocols/backend.hpp"
#include "services/flows/backend/flow_keeper.hpp"
#include "services/flows/backend/flow_table.hpp"
#include "services/scripts/backend/scripts.hpp"

namespace vpnha::runtime {

class Backends {
  public:
    // All of it outlives the backends.
    struct Host {
        const config::Config& config;
        adapters::QbLoop& loop;
        std::string key_file;  // The cluster's key.
        ports::Gate& gate;
        node::Node& node;
        ports::Backend::Tell tell;
        FlowKeeper::Run run;
        // As the gate and the network of the host have them.
        std::function<Result<void>(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant)>
            allow_end;
        std::function<Result<void>(GatewayId, bool is_v6, bool are_there)> set_networks;
        std::function<void(const Error&)> failed;
    };

    // `flows`: as open_flow_table() returns it. Errors are those of each open().
    [[nodiscard]] static Result<std::unique_ptr<Backends>> open(
        const Host& host, std::unique_ptr<ports::FlowTable> flows,
        std::span<const Protocol> others);
    // From the last to the first.
    ~Backends();
    Backends(const Backends&) = delete;
    Backends& operator=(const Backends&) = delete;

    [[nodiscard]] const std::vector<ports::Backend*>& all() const { return all_; }
    // For pppd's plugin.
    [[nodiscard]] std::vector<ports::PppProtocol*> ppp_protocols() const;
    // `done` when none of pppd's scripts waits or runs any more; at once when no gateway has some.
    void complete_scripts(std::function<void()> done);

  private:
    Backends() = default;
    // nullptr: no gateway has that protocol.
    void add(std::unique_ptr<ports::Backend> opened);
    [[nodiscard]] Result<void> open_protocols(const Host& host);
    [[nodiscard]] Result<void> open_others(const Host& host, std::span<const Protocol> others);

    std::vector<std::unique_ptr<ports::Backend>> opened_;
    std::vector<ports::Backend*> all_;
    Scripts* scripts_ = nullptr;  // One of them, if a gateway has scripts.
};

}  // namespace vpnha::runtime
