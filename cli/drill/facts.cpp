// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/findings.hpp"
#include "cli/table.hpp"

namespace vpnha::cli::drill {

namespace {

using nlohmann::json;

// With so many voters, including a witness, a standby gets the lease without the lost one.
constexpr std::size_t kVotersToStandIn = 3;

}  // namespace

std::string name_of(const json& status, const json& id) {
    if (const std::string name = member_name(status, id); !name.empty()) {
        return printable(name);
    }
    return id.is_number() ? fmt::format("node {}", id.get<std::uint64_t>()) : std::string();
}

const json* Facts::gateway(const std::string& name) const {
    for (const json& each : status.at("gateways")) {
        if (each.at("name") == name) {
            return &each;
        }
    }
    return nullptr;
}

std::string Facts::node() const {
    return printable(status.at("node").at("name").get<std::string>());
}

std::string Facts::serving(const std::string& name) const {
    const json* const found = gateway(name);
    return found == nullptr ? std::string() : name_of(status, found->at("promoted_node"));
}

std::size_t Facts::standbys(const std::string& name) const {
    const json* const found = gateway(name);
    return found == nullptr ? 0
                            : static_cast<std::size_t>(
                                  std::ranges::count_if(found->at("standbys"), [&](const json& id) {
                                      return id != found->at("promoted_node");
                                  }));
}

Timers Facts::timers(const std::string& name) const {
    const json* const found = gateway(name);
    if (found == nullptr) {
        return {};
    }
    const json& lease = found->at("lease");
    return {.stands_in = stand_in && lease.at("voters").size() >= kVotersToStandIn,
            .lease_ms = lease.at("duration_ms").get<double>(),
            .token_ms = token_ms};
}

}  // namespace vpnha::cli::drill
