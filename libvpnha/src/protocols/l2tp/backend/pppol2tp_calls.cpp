// SPDX-License-Identifier: GPL-2.0-or-later
// New calls in tunnels that were taken over: their sessions use the tunnel of the resumed sessions,
// and belong to their pppds.
#include <fmt/format.h>

#include "protocols/l2tp/backend/pppol2tp.hpp"

namespace vpnha::adapters {

Result<void> PppoL2tpKernel::keep_for_call(GatewayId gateway, const l2tp::SessionKey& call) {
    VPNHA_TRY(Tunnel* const tunnel, open_tunnel(gateway, call.tunnel));
    tunnel->calls.insert(call);
    return {};
}

Result<UniqueFd> PppoL2tpKernel::open_call(const l2tp::SessionKey& call) {
    const auto found = tunnels_.find(call.tunnel);
    if (found == tunnels_.end() || !found->second.calls.contains(call)) {
        return fail(Errc::not_found, fmt::format("there is no call {} here", call.id.value));
    }
    return open_session_socket(call, found->second.connection_id, found->second.udp.get());
}

Result<void> PppoL2tpKernel::drop_call(const l2tp::SessionKey& call) {
    if (const auto found = tunnels_.find(call.tunnel); found != tunnels_.end()) {
        found->second.calls.erase(call);
    }
    return close_tunnel_if_unused(call.tunnel);
}

}  // namespace vpnha::adapters
