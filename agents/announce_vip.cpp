// SPDX-License-Identifier: GPL-2.0-or-later
// announce-vip DIRECTORY: announces the addresses of a started resource ocf:vpnha:vip to the
// neighbours, and announces them again when the link comes back. DIRECTORY holds the addresses. It
// ends when the addresses are gone. The agent starts it, because its own call does not last that
// long.
#include <cstdio>

#include "host/addresses/announcer.hpp"
#include "host/vip/vip_service.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "Usage: announce-vip DIRECTORY\n");
        return 2;
    }
    const auto done = vpnha::adapters::read_started_vip(argv[1]).and_then(
        [](const vpnha::adapters::VipSettings& settings) {
            return vpnha::adapters::keep_announcing(settings.interface, settings.addresses);
        });
    if (!done) {
        std::fprintf(stderr, "announce-vip: %s\n", done.error().detail.c_str());
        return 1;
    }
    return 0;
}
