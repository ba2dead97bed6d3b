// SPDX-License-Identifier: GPL-2.0-or-later
// A session as the plugin's own C code encodes it.
#pragma once

#include <cstdio>

#include "base/bytes.hpp"

extern "C" {
#include "message.h"
}

namespace vpnha::adapters {

inline vpnha_session sample_session() {
    vpnha_session session{};
    std::snprintf(session.gateway, sizeof session.gateway, "dialin");
    session.pid = 4711;
    session.transport.protocol = "l2tp";
    vpnha_add_id(&session.transport, 0xc0000233, 4);  // 192.0.2.51
    for (const std::uint32_t id : {1701U, 0xfffeU, 2U, 3U, 0x8004U}) {
        vpnha_add_id(&session.transport, id, 2);
    }
    session.ours = {1410, 0xdeadbeef, 0xffffffff, 1, 0};
    session.theirs = {1400, 0x01020304, 0, 0, 1};
    session.our_ppp_address = 0x0ac80001;   // 10.200.0.1
    session.peer_ppp_address = 0x0ac8010a;  // 10.200.1.10
    session.echo_interval_s = 30;
    session.echo_failures = 4;
    session.echo_is_adaptive = 1;
    session.established_boot_ms = 1'767'225'600'123;
    session.timeouts = {.session_s = 7200, .idle_s = 900};
    session.our_identifier = 0x0102030405060708;
    session.peer_identifier = 9;
    session.route_count = 2;
    session.routes[0] = {.octet_count = 4, .octets = {198, 51, 100, 0}, .length = 24};
    session.routes[1] = {.octet_count = 16, .octets = {0x20, 0x01, 0x0d, 0xb8, 0, 1}, .length = 48};
    session.mtu = 1280;
    session.proxied_count = 2;
    session.proxied[0] = {.octet_count = 4, .octets = {10, 200, 1, 10}, .interface = "inside"};
    session.proxied[1] = {
        .octet_count = 16, .octets = {0x20, 0x01, 0x0d, 0xb8, 0, 1}, .interface = "eth0.7"};
    std::snprintf(session.user, sizeof session.user, "alice");
    std::snprintf(session.interface, sizeof session.interface, "ppp0");
    return session;
}

inline Bytes encoded(const vpnha_session& session) {
    Bytes bytes(VPNHA_MESSAGE_BYTES_MAX);
    bytes.resize(vpnha_encode_session_up(&session, bytes.data()));
    return bytes;
}

}  // namespace vpnha::adapters
