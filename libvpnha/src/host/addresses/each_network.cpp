// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/each_network.hpp"

#include <fmt/format.h>

#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

Result<void> in_each_network(const config::Config& config, const LookAtNetwork& look) {
    for (const std::string& netns : config.namespaces()) {
        VPNHA_TRY(const auto network, NetworkNamespace::open(netns));
        const InNetwork within(network);
        VPNHA_CHECK(look(config.part(netns),
                         netns.empty() ? "" : fmt::format("in network namespace '{}': ", netns)));
    }
    return {};
}

}  // namespace vpnha::adapters
