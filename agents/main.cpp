// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstdio>
#include <string_view>

#include "agents.hpp"
#include "host/os/process.hpp"

int main(int argc, char** argv) {
    std::string_view name = argc > 0 ? argv[0] : "";
    name.remove_prefix(name.rfind('/') + 1);
    for (const auto agent : vpnha::agents::kAgents) {
        if (agent().name == name) {
            const int code = vpnha::ocf::run(agent(), argc, argv);
            vpnha::adapters::close_output_after_end();
            return code;
        }
    }
    std::fprintf(stderr,
                 "Call me by the name of an agent: announce, checkpoint, pppd, pptpd, probe, "
                 "strongswan, vip or xl2tpd.\n");
    return static_cast<int>(vpnha::ocf::Code::installed);
}
