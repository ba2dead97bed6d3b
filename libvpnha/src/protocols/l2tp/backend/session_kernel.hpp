// SPDX-License-Identifier: GPL-2.0-or-later
// Port: hot L2TP sessions in this node's kernel, and the bytes that the kernel leaves to user
// space.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "protocols/l2tp/model/session_record.hpp"

namespace vpnha::ports {

class SessionKernel {
  public:
    // What arrives for sessions installed here. Called from the event loop, never from within a
    // call of this port; bytes are valid during the call only.
    struct Listener {
        std::function<void(GatewayId, const l2tp::TunnelKey&, ByteView)> on_datagram;
        std::function<void(GatewayId, const l2tp::SessionKey&, ByteView)> on_frame;
        // Somebody else removed it from the kernel; what was left of it is gone too.
        std::function<void(GatewayId, const l2tp::SessionKey&)> on_gone;
        // News of the kernel was lost: audit() says what is still there.
        std::function<void()> on_overrun;
    };

    virtual ~SessionKernel() = default;

    // Tunnel (when it is the first session of it), session, PPP unit up with its addresses, the
    // client's route in the gateway's own table. Silent: the gate hides it. Installing what is
    // installed already is a success; on failure nothing of it remains.
    virtual Result<void> install(GatewayId gateway, const l2tp::SessionRecord& record) = 0;
    // Nothing of it remains, nor of its tunnel when it was the last one; removing what is not there
    // is a success.
    virtual Result<void> remove(GatewayId gateway, const l2tp::SessionKey& key) = 0;
    // Of the sessions installed here, those that the kernel still has; what is left of the others
    // is cleared away.
    [[nodiscard]] virtual Result<std::set<l2tp::SessionKey>> audit(GatewayId gateway) = 0;
    // The name of its interface; empty when it is not installed.
    [[nodiscard]] virtual std::string interface_of(const l2tp::SessionKey& key) const = 0;
    // A tunnel without an installed session speaks by a socket alone, until remove() of one of its
    // sessions: what the kernel refused can be ended towards its client.
    virtual Result<void> send_datagram(GatewayId gateway, const l2tp::TunnelKey& tunnel,
                                       ByteView bytes) = 0;
    virtual Result<void> send_frame(GatewayId gateway, const l2tp::SessionKey& session,
                                    ByteView frame) = 0;
};

}  // namespace vpnha::ports
