// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "base/limits.hpp"
#include "config/checks.hpp"
#include "config/toml_reader.hpp"

namespace vpnha::config {

bool Gateway::is_on(const std::string& interface) const {
    return outside.interface == interface || inside.interface == interface;
}

Ipv4Address Gateway::l2tp_address() const {
    for (const IpPrefix& vip : outside.addresses) {
        if (const auto address = vip.address.v4()) {
            return *address;
        }
    }
    return {};
}

std::vector<IpPrefix> Gateway::flow_nets() const {
    if (!conntrack.nets.empty()) {
        return conntrack.nets;
    }
    std::vector<IpPrefix> nets = l2tp.pools;
    for (const Side* const side : {&outside, &inside}) {
        for (const IpPrefix& vip : side->addresses) {
            nets.push_back(host_prefix(vip.address));
        }
    }
    return nets;
}

const Gateway* Config::find(std::string_view name) const {
    const auto found = std::find_if(gateways.begin(), gateways.end(),
                                    [&](const Gateway& gateway) { return gateway.name == name; });
    return found == gateways.end() ? nullptr : &*found;
}

const Gateway* Config::find(GatewayId id) const {
    const auto found = std::find_if(gateways.begin(), gateways.end(),
                                    [&](const Gateway& gateway) { return gateway.id == id; });
    return found == gateways.end() ? nullptr : &*found;
}

Result<Config> parse(std::string_view toml, std::string_view file_name) {
    if (toml.size() > limits::kConfigFileBytesMax) {
        return fail(Errc::invalid_config,
                    fmt::format("{}: larger than {} bytes; is it the right file?", file_name,
                                limits::kConfigFileBytesMax));
    }
    VPNHA_TRY(Draft draft, read_toml(toml, file_name));
    VPNHA_CHECK(check(draft));
    return std::move(draft.config);
}

Result<Config> load(const std::string& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        const Errc code = errno == EACCES ? Errc::permission : Errc::invalid_config;
        return fail(code, system_error(fmt::format("{}: cannot be read", path), errno).detail);
    }
    // One byte more than allowed, so that an endless file ends in parse()'s error.
    std::string text(limits::kConfigFileBytesMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad() || (file.fail() && !file.eof())) {
        return fail(Errc::invalid_config, fmt::format("{}: cannot be read to its end", path));
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    return parse(text, path);
}

}  // namespace vpnha::config
