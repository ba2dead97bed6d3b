// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/witness_key.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "host/corosync/cluster_map.hpp"
#include "host/corosync/cluster_nodes.hpp"
#include "host/os/process.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/tables.hpp"
#include "vpnha/configuration.hpp"

namespace vpnha {

namespace {

Result<void> write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return tl::unexpected(system_error("writing the witness's key", errno));
        }
        text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

Result<void> write_witness_key(const std::string& config_file, int fd) {
    VPNHA_CHECK(adapters::forbid_dumps());
    VPNHA_TRY(const config::Config config, config::load(config_file));
    if (config.witness.name.empty()) {
        return fail(Errc::invalid_config,
                    fmt::format("{} has no witness; a witness needs witness and witness_name in "
                                "[lease], the same on all nodes",
                                config_file));
    }
    adapters::QbLoop loop;
    VPNHA_TRY(const auto map, adapters::ClusterMap::open(
                                  loop, {.on_change = [] {}, .on_nodes = [] {}, .on_lost = [] {}}));
    VPNHA_TRY(const auto cluster_key, runtime::cluster_key_of(map->key_file()));
    const auto key = lease::LeaseKey::of_witness(cluster_key.content(), config.witness.name);
    const lease::WitnessKeyLine line({map->cluster_name(), config.witness.name, key.octets()});
    return write_all(fd, line.view());
}

}  // namespace vpnha
