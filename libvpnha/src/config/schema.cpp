// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/schema.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vpnha::config {

Schema::Schema(std::vector<const Protocol*> protocols)
    : protocols_(std::move(protocols)),
      sections_{Section::cluster, Section::daemon, Section::replication, Section::lease,
                Section::fencing, Section::radius, Section::admission,   Section::gateway,
                Section::outside, Section::inside, Section::links,       Section::bandwidth},
      keys_(keys_of_all()) {
    for (const Protocol* const protocol : protocols_) {
        sections_.push_back(protocol->section);
        std::ranges::move(protocol->keys(), std::back_inserter(keys_));
    }
    sections_.push_back(Section::conntrack);
    std::ranges::move(conntrack_keys(), std::back_inserter(keys_));
}

const Key* Schema::find(const Section& section, std::string_view name) const {
    const auto found = std::ranges::find_if(
        keys_, [&](const Key& key) { return key.section == section && key.name == name; });
    return found == keys_.end() ? nullptr : &*found;
}

void Schema::add_section(Gateway& gateway, const Section& section) const {
    const auto found = std::ranges::find(protocols_, section, &Protocol::section);
    if (found != protocols_.end()) {
        gateway.protocols.serve(**found);
    }
}

std::vector<ComparedFile> pppd_files(const std::vector<std::string>& secrets,
                                     const std::string& options) {
    std::vector<ComparedFile> files;
    for (const std::string& path : secrets) {
        files.push_back({"secrets", path, LineOrder::free});
    }
    files.push_back({"options", options});
    return files;
}

bool has_section(const Gateway& gateway, const Section& section) {
    return !section.is_protocol || gateway.protocols.has(section.name);
}

void ServedProtocols::serve(const Protocol& protocol) {
    served_.push_back({&protocol, protocol.make()});
}

bool ServedProtocols::has(std::string_view section) const {
    return std::ranges::any_of(
        served_, [section](const Served& each) { return each.protocol->section.name == section; });
}

std::vector<Facts> ServedProtocols::facts() const {
    std::vector<Facts> all;
    for (const Served& each : served_) {
        all.push_back(each.protocol->facts(each.table));
        all.back().section = each.protocol->section.name;
    }
    return all;
}

std::optional<Facts> ServedProtocols::tunnels() const {
    return first([](const Facts& each) { return each.tunnel_port.has_value(); });
}

std::optional<std::uint16_t> ServedProtocols::tunnel_port() const {
    const std::optional<Facts> found = tunnels();
    return found ? found->tunnel_port : std::nullopt;
}

}  // namespace vpnha::config
