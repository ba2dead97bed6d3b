// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/authorization.hpp"

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
    std::function<void(node::Effects)> run) {
    if (!config.radius.dynamic_authorization) {
        return nullptr;
    }
    return AuthorizationServer::open(
        loop, config.radius,
        [&node, run = std::move(run)](
            const AuthorizationRequest& request,
            const Ipv4Endpoint& client) -> std::optional<AuthorizationServer::Refusal> {
            if (request.kind == AuthorizationRequest::Kind::change) {
                // What a session could take on is refused as an unsupported attribute before.
                return AuthorizationServer::Refusal{ErrorCause::missing_attribute,
                                                    "it changes nothing"};
            }
            auto ended =
                node.disconnect(request.identity, to_string(client), adapters::QbLoop::now());
            if (!ended) {
                return AuthorizationServer::Refusal{cause_of(ended.error().code),
                                                    ended.error().detail};
            }
            run(std::move(*ended));
            return std::nullopt;
        });
}

}  // namespace vpnha::runtime
