// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/looks/sizes.hpp"

#include <fmt/format.h>

#include <string_view>

#include "protocols/tables.hpp"

namespace vpnha::cli::looks {

namespace {

using nlohmann::json;

constexpr double kNearly = 0.8;

// Whole gateways, or parts of them, that this one does not have are null.
std::uint64_t number_at(const json& gateway, const char* pointer) {
    const json::json_pointer at(pointer);
    return gateway.contains(at) && gateway.at(at).is_number_integer()
               ? gateway.at(at).get<std::uint64_t>()
               : 0;
}

}  // namespace

std::vector<std::string> find_in_sizes(const json& status, const config::Config& config) {
    std::vector<std::string> findings;
    for (const json& gateway : status.at("gateways")) {
        const auto name = gateway.at("name").get<std::string>();
        const config::Gateway* const configured = config.find(name);
        // `most` 0: there is no bound.
        const auto compare = [&](std::uint64_t used, std::uint64_t most, std::string_view what,
                                 std::string_view remedy) {
            if (most > 0 && static_cast<double>(used) >= kNearly * static_cast<double>(most)) {
                findings.push_back(
                    fmt::format("gateway {}: {} of {} {}: {}", name, used, most, what, remedy));
            }
        };
        compare(number_at(gateway, "/sessions/total"),
                configured == nullptr ? 0 : configured->sessions_max, "sessions",
                "raise sessions_max, or have a second gateway");
        compare(number_at(gateway, "/records/peak"), number_at(gateway, "/records/count_max"),
                "records, at the peak since vpnhad started", "move clients to a second gateway");
        compare(number_at(gateway, "/conntrack/flows"), number_at(gateway, "/conntrack/flows_max"),
                "replicated flows",
                "raise delay of [gateway.NAME.conntrack], so that short flows are left out");
        compare(number_at(gateway, "/addresses/in_use") + number_at(gateway, "/addresses/held"),
                number_at(gateway, "/addresses/pool"), "addresses of common_pool",
                "add a net to it, or shorten address_hold");
    }
    return findings;
}

Result<std::vector<std::string>> look_at_sizes(const std::string& config_file, const Ask& ask) {
    VPNHA_TRY(const config::Config config, config::load(config_file));
    return judge_status(ask,
                        [&config](const json& status) { return find_in_sizes(status, config); });
}

}  // namespace vpnha::cli::looks
