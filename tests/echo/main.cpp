// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad-echo: vpnhad with one more protocol, the toy of CONTRIBUTING.md.
#include "echo/backend/responder.hpp"
#include "echo/keeper/echo_sessions.hpp"
#include "next/vpnhad_main.hpp"

int main(int argc, char** argv) {
    using namespace vpnha;
    const runtime::Protocol protocols[] = {{echo::EchoSessions::make, echo::Responder::open}};
    return next::run_vpnhad(argc, argv, wire::released_codecs(), protocols);
}
