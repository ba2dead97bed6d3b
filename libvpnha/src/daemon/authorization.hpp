// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of RADIUS servers, if vpnha.toml permits them: ends the sessions that they name.
#pragma once

#include <functional>
#include <memory>

#include "cluster/node/node.hpp"
#include "config/config.hpp"
#include "services/accounting/backend/authorization_server.hpp"

namespace vpnha::runtime {

// nullptr: [radius] dynamic_authorization is false. The arguments must outlive it. Errors: of the
// secret's file; the port is another program's.
[[nodiscard]] Result<std::unique_ptr<adapters::AuthorizationServer>> open_authorization(
    const config::Config& config, adapters::QbLoop& loop, node::Node& node,
    std::function<void(effects::Effects)> run);

}  // namespace vpnha::runtime
