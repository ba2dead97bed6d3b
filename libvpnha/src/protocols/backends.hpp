// SPDX-License-Identifier: GPL-2.0-or-later
// The one list of the backends, which carry out the commands of the protocols' keepers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "config/config.hpp"
#include "host/os/qb_loop.hpp"
#include "ports/gate.hpp"
#include "protocols/backend.hpp"
#include "protocols/list.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ports {

// The arguments of open_backend(); all of them outlive the backend.
struct BackendHost {
    const config::Config& config;
    adapters::QbLoop& loop;
    std::string key_file;  // The cluster's key.
    Gate& gate;
    Backend::Notify notify;
    // Functions of the host's gate and network.
    std::function<Result<void>(Ipv4Address vip, const Ipv4Endpoint& peer, bool meant)> allow_end;
    std::function<Result<void>(GatewayId, bool is_v6, bool are_there)> set_networks;
    // The backend has failed; called once. Another node has to take its sessions over.
    std::function<void(const Error&)> failed;
    int first_timer = 0;  // Of kTimersOfABackend, for one that has none of its own.
};

using OpenedBackend = Result<std::unique_ptr<Backend>>;

// Those that a gateway of the configuration needs. Errors are those of each open_backend().
[[nodiscard]] Result<std::vector<std::unique_ptr<Backend>>> open_backends(BackendHost host);

}  // namespace vpnha::ports

namespace vpnha {

// nullptr: no gateway has that protocol.
#define VPNHA_OPEN(protocol)                                                                       \
    namespace protocol {                                                                           \
    [[nodiscard]] vpnha::ports::OpenedBackend open_backend(const vpnha::ports::BackendHost& host); \
    }
VPNHA_PROTOCOLS(VPNHA_OPEN)
#undef VPNHA_OPEN

}  // namespace vpnha
