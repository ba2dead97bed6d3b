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

std::string to_string(const HostPort& address) {
    const bool is_ipv6 = address.host.find(':') != std::string::npos;
    return fmt::format("{}:{}", is_ipv6 ? fmt::format("[{}]", address.host) : address.host,
                       address.port);
}

std::vector<Covered> Gateway::covered() const {
    std::vector<Covered> covered;
    for (const IpPrefix& vip : outside.addresses) {
        covered.push_back({Covered::What::outside_vip, host_prefix(vip.address)});
    }
    for (const IpPrefix& vip : inside.addresses) {
        covered.push_back({Covered::What::inside_vip, host_prefix(vip.address)});
    }
    covered.push_back({Covered::What::ppp_local, host_prefix(IpAddress(ppp_local))});
    for (const IpPrefix& pool : pools) {
        covered.push_back({Covered::What::pool, pool});
    }
    return covered;
}

std::string to_string(const UserRate& each) {
    return each.user + " " + to_string(each.rate);
}

Rate Bandwidth::of(const std::string& user, const std::optional<Rate>& reported) const {
    if (by_radius && reported) {
        return *reported;
    }
    const auto own = std::ranges::find(users, user, &UserRate::user);
    return own == users.end() ? fallback : own->rate;
}

const Side& Gateway::side(LinkSide which) const {
    return which == LinkSide::outside ? outside : inside;
}

std::uint32_t Gateway::reply_table(LinkSide which) const {
    constexpr std::uint32_t kFirst = 2000;
    return kFirst + 2U * id.value + (which == LinkSide::inside ? 1U : 0U);
}

bool Gateway::is_on(const std::string& interface) const {
    return outside.interface == interface || inside.interface == interface;
}

std::set<Ipv4Address> Radius::authorization_clients() const {
    std::set<Ipv4Address> clients;
    for (const IpAddress& each : dynamic_authorization_clients) {
        if (const auto address = each.v4()) {
            clients.insert(*address);
        }
    }
    if (dynamic_authorization_clients.empty()) {
        for (const Ipv4Endpoint& server : accounting_servers) {
            clients.insert(server.address);
        }
    }
    return clients;
}

Ipv4Address Gateway::dialled_address() const {
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
    std::vector<IpPrefix> nets;
    for (const Covered& each : covered()) {
        nets.push_back(each.net);
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

bool Config::has_namespaces() const {
    return std::ranges::any_of(gateways, [](const Gateway& each) { return !each.netns.empty(); });
}

std::set<std::string> Config::namespaces() const {
    std::set<std::string> all;
    for (const Gateway& gateway : gateways) {
        all.insert(gateway.netns);
    }
    return all;
}

Config Config::part(std::string_view netns) const {
    Config part = *this;
    std::erase_if(part.gateways,
                  [netns](const Gateway& gateway) { return gateway.netns != netns; });
    return part;
}

Result<Config> parse(std::string_view toml, std::string_view file_name, const Schema& schema) {
    if (toml.size() > limits::kConfigFileBytesMax) {
        return fail(Errc::invalid_config,
                    fmt::format("{}: larger than {} bytes; is it the right file?", file_name,
                                limits::kConfigFileBytesMax));
    }
    Draft draft = read_toml(toml, file_name, schema);
    check(draft);
    VPNHA_CHECK(draft.errors.result());
    return std::move(draft.config);
}

Result<Config> load(const std::string& path, const Schema& schema) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        const Errc code = errno == EACCES ? Errc::permission : Errc::invalid_config;
        return fail(code, system_error(fmt::format("{}: cannot be read", path), errno).detail);
    }
    // One byte more than allowed, so that an endless file ends with parse()'s error.
    std::string text(limits::kConfigFileBytesMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad() || (file.fail() && !file.eof())) {
        return fail(Errc::invalid_config, fmt::format("{}: cannot be read to its end", path));
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    return parse(text, path, schema);
}

}  // namespace vpnha::config
