// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/authorization.hpp"

#include <utility>

namespace vpnha::runtime {

namespace {

using adapters::AuthorizationRequest;
using adapters::AuthorizationServer;
using adapters::ErrorCause;

ErrorCause cause_of(Errc code) {
    switch (code) {
        case Errc::not_found:
            return ErrorCause::session_not_found;
        case Errc::invalid_argument:
            return ErrorCause::several_sessions;
        case Errc::unsupported:
            return ErrorCause::session_not_removable;
        default:
            return ErrorCause::resources_unavailable;
    }
}

}  // namespace

Result<std::unique_ptr<AuthorizationServer>> open_authorization(
    const config::Config& config, adapters::QbLoop& loop, node::Node& node,
    std::function<void(effects::Effects)> run) {
    if (!config.radius.dynamic_authorization) {
        return nullptr;
    }
    return AuthorizationServer::open(
        loop, config.radius,
        [&node, run = std::move(run)](
            const AuthorizationRequest& request,
            const Ipv4Endpoint& client) -> std::optional<AuthorizationServer::Refusal> {
            const TimePoint now = adapters::QbLoop::now();
            const std::string server = to_string(client);
            auto done = request.kind == AuthorizationRequest::Kind::disconnect
                            ? node.disconnect(request.identity, server, now)
                            : node.change_session(request.identity, request.change, server, now);
            if (!done) {
                return AuthorizationServer::Refusal{cause_of(done.error().code),
                                                    done.error().detail};
            }
            run(std::move(*done));
            return std::nullopt;
        });
}

}  // namespace vpnha::runtime
