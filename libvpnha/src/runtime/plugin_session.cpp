// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/plugin_session.hpp"

namespace vpnha::runtime {

namespace {

l2tp::SessionRecord record_of(const adapters::PluginL2tp& ids, const adapters::PluginLink& link,
                              const config::Gateway* gateway) {
    Ipv4Endpoint local;
    if (gateway != nullptr && gateway->l2tp) {
        local = {gateway->l2tp_address(), gateway->l2tp->port};
    }
    return adapters::session_record(ids, link, local);
}

}  // namespace

node::PluginSession plugin_session(const adapters::PluginSessionUp& up,
                                   const config::Config& config) {
    return std::visit(
        [&](const auto& ids) -> node::PluginSession {
            return record_of(ids, up.link, config.find(up.gateway));
        },
        up.ids);
}

}  // namespace vpnha::runtime
