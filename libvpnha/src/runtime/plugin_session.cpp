// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/plugin_session.hpp"

namespace vpnha::runtime {

namespace {

l2tp::SessionRecord record_of(const adapters::PluginL2tp& ids, const adapters::PluginLink& link,
                              const config::Gateway* gateway) {
    Ipv4Endpoint local;
    if (gateway != nullptr && gateway->l2tp) {
        local = {gateway->dialled_address(), gateway->l2tp->port};
    }
    return adapters::session_record(ids, link, local);
}

}  // namespace

std::optional<node::PluginSession> plugin_session(const adapters::PluginSessionUp& up,
                                                  const config::Config& config) {
    const auto* const l2tp = std::get_if<adapters::PluginL2tp>(&up.ids);
    return l2tp == nullptr ? std::nullopt
                           : std::optional<node::PluginSession>(
                                 record_of(*l2tp, up.link, config.find(up.gateway)));
}

}  // namespace vpnha::runtime
