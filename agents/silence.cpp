// SPDX-License-Identifier: GPL-2.0-or-later
// silence-gateway [--is-open] CONFIG GATEWAY: makes a gateway silent on this node without its
// vpnhad, which must be dead: shuts the gate, removes addresses and policy rule, and has begun to
// end the sessions of its services when it returns; where a device takes no gate, they have ended.
// It prints "ungated" then, and whoever waits for it has to wait for its end.
// A program of its own, because only this needs the libraries of the gate and of netlink.
//
// --is-open only looks whether the gate is open at this moment, whoever opened it: then it exits
// with 0, else with 1.
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>

#include "host/addresses/network.hpp"
#include "host/gate/gate_silence.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/state_lock.hpp"
#include "protocols/gateway_services.hpp"
#include "protocols/tables.hpp"
#include "services/proxies/backend/proxy_table.hpp"

namespace vpnha {

namespace {

// The gateway, with the configuration of its network namespace.
struct Place {
    config::Config config;
    const config::Gateway* gateway = nullptr;
    adapters::NetworkNamespace network;
};

Result<const config::Gateway*> gateway_of(const config::Config& config, const std::string& name) {
    const config::Gateway* const gateway =
        name.empty() && config.gateways.size() == 1 ? &config.gateways.front() : config.find(name);
    if (gateway == nullptr) {
        return fail(Errc::not_found, "no gateway '" + name + "' in the configuration");
    }
    return gateway;
}

Result<std::unique_ptr<const Place>> find_place(const std::string& config_file,
                                                const std::string& name) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    VPNHA_TRY(const config::Gateway* const gateway, gateway_of(config, name));
    auto place = std::make_unique<Place>();
    place->config = config.part(gateway->netns);
    place->gateway = place->config.find(gateway->id);
    VPNHA_TRY(place->network, adapters::NetworkNamespace::open(gateway->netns));
    return place;
}

Result<bool> is_open(const std::string& config_file, const std::string& name) {
    VPNHA_TRY(const auto place, find_place(config_file, name));
    const adapters::InNetwork within(place->network);
    return adapters::is_open(place->config, *place->gateway);
}

Result<void> silence_gateway(const std::string& config_file, const std::string& name) {
    VPNHA_TRY(const auto place, find_place(config_file, name));
    const config::Config& config = place->config;
    const config::Gateway* const gateway = place->gateway;
    const adapters::InNetwork within(place->network);
    // The vpnhad that is started next waits: it would do the same, and take the processor for it.
    // One that has the lock already does the same or, killed, nothing any more.
    std::optional lock = adapters::StateLock::take(config.state_directory, {});
    // The gate first: what follows takes longer and may speak.
    const Result<void> gate = adapters::silence(config, *gateway);
    const bool takes_no_gate = !gate && gate.error().code == Errc::unsupported;
    if (takes_no_gate) {
        std::puts("ungated");
        std::fflush(stdout);
    } else {
        VPNHA_CHECK(gate);
    }
    VPNHA_TRY(adapters::LinuxNetwork network, adapters::LinuxNetwork::create(config));
    VPNHA_CHECK(network.flush(gateway->id));
    VPNHA_CHECK(adapters::flush_proxies(*gateway));
    lock.reset();  // Who ends the services is a child, and works on behind this program.
    const auto services = adapters::gateway_services(gateway->name);
    if (takes_no_gate) {
        // Who would be fenced for it could not start anything here either: silent is who has no
        // address and no service.
        std::fprintf(stderr, "silence-gateway: without a gate: %s\n", gate.error().detail.c_str());
        return adapters::for_each_service(services, &adapters::StockService::reset);
    }
    // The next node's promotion waits for this one's silence, not for the end of a thousand pppds.
    return adapters::for_each_service(services, &adapters::StockService::begin_reset);
}

}  // namespace

}  // namespace vpnha

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view(argv[1]) == "--is-open") {
        return vpnha::is_open(argv[2], argv[3]).value_or(false) ? 0 : 1;
    }
    if (argc != 3) {
        std::fprintf(stderr, "Usage: silence-gateway [--is-open] CONFIG GATEWAY\n");
        return 2;
    }
    const auto done = vpnha::silence_gateway(argv[1], argv[2]);
    if (!done) {
        std::fprintf(stderr, "silence-gateway: %s\n", done.error().detail.c_str());
        return 1;
    }
    return 0;
}
