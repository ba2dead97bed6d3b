// SPDX-License-Identifier: GPL-2.0-or-later
// gateway-netns CONFIG GATEWAY: prints the network namespace of the gateway, as vpnha.toml has it;
// an empty line: it is in the host's. For the agents of stock daemons, which read no TOML.
#include <cstdio>

#include "protocols/tables.hpp"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "Usage: gateway-netns CONFIG GATEWAY\n");
        return 2;
    }
    const auto config = vpnha::config::load(argv[1]);
    const auto* const gateway = config ? config->find(argv[2]) : nullptr;
    if (gateway == nullptr) {
        std::fprintf(stderr, "gateway-netns: %s\n",
                     config ? "no such gateway" : config.error().detail.c_str());
        return 1;
    }
    std::printf("%s\n", gateway->netns.c_str());
    return 0;
}
