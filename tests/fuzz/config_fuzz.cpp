// SPDX-License-Identifier: GPL-2.0-or-later
// vpnha.toml with any content: a Config that keeps its promises, or an error with its line.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "protocols/tables.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Result<config::Config> config = config::parse(to_text(ByteView{data, size}), "f");
    if (!config) {
        const std::string& errors = config.error().detail;
        VPNHA_ASSERT(errors.starts_with("f:"));
        for (std::size_t end = 0; (end = errors.find('\n', end)) != std::string::npos;) {
            VPNHA_ASSERT(errors.compare(++end, 2, "f:") == 0);
        }
        return 0;
    }
    VPNHA_ASSERT(!config->gateways.empty());
    for (const config::Gateway& gateway : config->gateways) {
        VPNHA_ASSERT(config->find(gateway.id) == config->find(gateway.name));
        VPNHA_ASSERT(gateway.id.value != 0 && gateway.route_table != 0);
        VPNHA_ASSERT(!gateway.outside.addresses.empty() && !gateway.pools.empty());
        VPNHA_ASSERT(!gateway.protocols.all().empty() && gateway.covered().size() >= 3);
        VPNHA_ASSERT(gateway.outside.interface.size() <= limits::kInterfaceNameBytesMax);
    }
    return 0;
}
