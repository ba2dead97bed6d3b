// SPDX-License-Identifier: GPL-2.0-or-later
// L2TP sessions: the keeper's requests to this node's kernel, and the events from it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "cluster/wire/record_key.hpp"
#include "protocols/l2tp/model/session_record.hpp"
#include "protocols/ppp/plugin_event.hpp"

namespace vpnha::node {

[[nodiscard]] inline wire::RecordKey record_key_of(const l2tp::SessionKey& key) {
    return {wire::RecordType::l2tp_session, wire::RecordId(l2tp::encode_key(key))};
}

[[nodiscard]] inline PluginSession stock_session(const l2tp::SessionRecord& record) {
    return {record_key_of(record.key), record.key.tunnel.peer.address, record.facts, {}};
}

// Only the last of several for one session needs to be done. → SessionInstalled
struct InstallSession {
    GatewayId gateway;
    l2tp::SessionRecord record;
    std::uint64_t ticket = 0;
};
struct RemoveSession {
    GatewayId gateway;
    l2tp::SessionKey key;
};
// Which of the installed sessions the kernel still has. → SessionsAudited
struct AuditSessions {
    GatewayId gateway;
};
struct SendDatagram {
    GatewayId gateway;
    l2tp::TunnelKey tunnel;
    Bytes bytes;
};
struct SendFrame {
    GatewayId gateway;
    l2tp::SessionKey session;
    Bytes frame;
};

// A peer has a new call in its tunnel that was taken over: the tunnel stays in the kernel.
struct AcceptCall {
    GatewayId gateway;
    l2tp::SessionKey call;
};
// The call is set up: its session and its pppd begin. `taken`: addresses of other clients; none
// where vpnhad assigns addresses. → CallOver
struct StartCall {
    GatewayId gateway;
    l2tp::SessionKey call;
    std::vector<Ipv4Address> taken;
};
// The call is over, at whatever stage; its pppd ends.
struct DropCall {
    GatewayId gateway;
    l2tp::SessionKey call;
};

using L2tpWork = std::variant<InstallSession, RemoveSession, AuditSessions, SendDatagram, SendFrame,
                              AcceptCall, StartCall, DropCall>;
template <effects::OneOf<L2tpWork> What>
L2tpWork work_of(const What&);

// The result of an installation.
struct SessionInstalled {
    l2tp::SessionKey key;
    std::uint64_t ticket = 0;
    Result<void> result;
};
// The sessions of the gateway that the kernel has.
struct SessionsAudited {
    const std::set<l2tp::SessionKey>& present;
};
// Somebody removed it from the kernel.
struct SessionGone {
    l2tp::SessionKey key;
};
// The netlink socket overran: any session may be gone.
struct SessionNewsLost {};
// Packets from peers that the kernel passes to user space.
struct TunnelDatagram {
    l2tp::TunnelKey tunnel;
    ByteView bytes;
};
struct SessionFrame {
    l2tp::SessionKey session;
    ByteView frame;
};

// The pppd of a new call has ended, or could not be started.
struct CallOver {
    l2tp::SessionKey call;
    bool was_started = false;
    std::string why;
};

using L2tpEvent = std::variant<SessionInstalled, SessionsAudited, SessionGone, SessionNewsLost,
                               TunnelDatagram, SessionFrame, CallOver>;
template <effects::OneOf<L2tpEvent> What>
L2tpEvent event_of(const What&);

}  // namespace vpnha::node
