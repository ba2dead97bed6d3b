// SPDX-License-Identifier: GPL-2.0-or-later
// release-services [--end] GATEWAY: ends this node's stock sessions of the gateway and leaves its
// daemons idle again, as vpnhad does at a demotion; with --end they are not started again. vpnhad
// has systemd run it: the daemons are then free of the limits of vpnhad.service.
#include <cstdio>
#include <string_view>

#include "protocols/gateway_services.hpp"

int main(int argc, char** argv) {
    using vpnha::adapters::StockService;
    const bool ends = argc == 3 && std::string_view(argv[1]) == "--end";
    if (argc != 2 && !ends) {
        std::fprintf(stderr, "Usage: release-services [--end] GATEWAY\n");
        return 2;
    }
    const vpnha::Result<void> done =
        vpnha::adapters::for_each_service(vpnha::adapters::gateway_services(argv[argc - 1]),
                                          ends ? &StockService::stop : &StockService::release);
    if (!done) {
        std::fprintf(stderr, "release-services: %s\n", done.error().detail.c_str());
        return 1;
    }
    return 0;
}
