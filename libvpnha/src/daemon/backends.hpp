// SPDX-License-Identifier: GPL-2.0-or-later
// The backends of this node, one for each protocol that a gateway has: opened together, and from
// then on known by what a backend is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cluster/node/node.hpp"
#include "config/config.hpp"
#include "daemon/protocol.hpp"
#include "host/os/qb_loop.hpp"
#include "ports/gate.hpp"
#include "protocols/backend.hpp"
#include "protocols/ipsec/backend/ipsec.hpp"
#include "protocols/l2tp/backend/l2tp_sessions.hpp"
#include "protocols/pptp/backend/pptp.hpp"
#include "services/accounting/backend/accounting.hpp"
#include "services/flows/backend/flow_keeper.hpp"
#include "services/flows/backend/flow_table.hpp"
#include "services/proxies/backend/proxies.hpp"
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
        ports::SessionKernel& kernel;
        node::Node& node;
        ports::Backend::Tell tell;
        FlowKeeper::Run run;
        // Of Pptp::Listener.
        std::function<Result<void>(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant)>
            allow_end;
        std::function<void(const Error&)> failed;
    };

    // `flows`: as open_flow_table() returns it. Errors are those of each open().
    [[nodiscard]] static Result<std::unique_ptr<Backends>> open(
        const Host& host, std::unique_ptr<ports::FlowTable> flows,
        std::span<const Protocol> others);
    Backends(const Backends&) = delete;
    Backends& operator=(const Backends&) = delete;

    [[nodiscard]] const std::vector<ports::Backend*>& all() const { return all_; }
    // For pppd's plugin.
    [[nodiscard]] std::vector<ports::PppProtocol*> ppp_protocols() const;
    // `done` when none of pppd's scripts waits or runs any more; at once when no gateway has some.
    void complete_scripts(std::function<void()> done);

  private:
    Backends(const Host& host, std::unique_ptr<ports::FlowTable> flows);
    [[nodiscard]] Result<void> open_protocols(const Host& host);
    [[nodiscard]] Result<void> open_others(const Host& host, std::span<const Protocol> others);

    L2tpSessions l2tp_;
    FlowKeeper flows_;
    std::unique_ptr<Accounting> accounting_;
    std::optional<Proxies> proxies_;
    std::unique_ptr<Ipsec> ipsec_;
    std::unique_ptr<Pptp> pptp_;
    std::optional<Scripts> scripts_;
    std::vector<std::unique_ptr<ports::Backend>> others_;
    std::vector<ports::Backend*> all_;
};

}  // namespace vpnha::runtime
