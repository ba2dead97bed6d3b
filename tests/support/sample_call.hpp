// SPDX-License-Identifier: GPL-2.0-or-later
// A call as pptpd and pptp-linux set one up.
#pragma once

#include "protocols/pptp/model/call_record.hpp"

namespace vpnha::pptp::test {

inline CallRecord sample_call() {
    CallRecord call;
    call.key = {{{0xc0000201}, 1723}, {{0xc0000233}, 40123}, CallId{128}, CallId{7}};
    call.tcp = {1448, true, 7, 8, true, true};
    call.facts.ours = {1400, 0x11111111, 0, true, true};
    call.facts.theirs = {1500, 0x22222222, 0, true, true};
    call.facts.our_address = {0x0a000001};
    call.facts.peer_address = {0x0a000002};
    call.facts.mtu = 1396;
    call.facts.proxied = {{LinkSide::inside, IpAddress(call.facts.peer_address)}};
    call.facts.echo_interval_s = 20;
    call.facts.echo_failures = 3;
    call.facts.echo_is_adaptive = true;
    call.facts.established_unix_ms = 1'700'000'000'000;
    call.facts.timeouts = {7200, 0};
    call.mppe = Mppe::bits128;
    call.sealed_keys = Bytes(72, 0x5e);
    call.facts.user = "anna";
    call.facts.interface = "ppp0";
    return call;
}

inline CallNumbers sample_numbers() {
    return {.snd_nxt = 0x01020304,
            .rcv_nxt = 0x05060708,
            .snd_wnd = 65536,
            .tsval = 0x0a0b0c0d,
            .peer_tsval = 0x0e0f1011,
            .echo_id = 3,
            .echo_open = true,
            .hung_up = true,
            .stop_open = true,
            .never_acknowledges = true,
            .gre_out = 1000,
            .gre_in = 2000,
            .mppe_out = 4097,
            .mppe_in = 5000};
}

}  // namespace vpnha::pptp::test
