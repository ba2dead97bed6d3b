// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/session/holders.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/findings.hpp"
#include "cli/sessions_view.hpp"
#include "cli/table.hpp"
#include "host/os/utc.hpp"

namespace vpnha::cli::session {

namespace {

using nlohmann::json;

std::int64_t begun_ms(const json& session) {
    return unix_seconds(session.at("established").get<std::string>()) * 1000;
}

}  // namespace

json holders_since(const json& status, const json& session) {
    const json& gateways = status.at("gateways");
    const auto gateway = std::find_if(
        gateways.begin(), gateways.end(),
        [&session](const json& each) { return each.at("name") == session.at("gateway"); });
    json found = json::array();
    // An older vpnhad has no such list.
    if (gateway == gateways.end() || !gateway->contains("holders")) {
        return found;
    }
    const json& holders = gateway->at("holders");
    const std::int64_t begun = begun_ms(session);
    for (std::size_t i = 0; i < holders.size(); ++i) {
        const bool is_over = i + 1 < holders.size() &&
                             holders[i + 1].at("since_unix_ms").get<std::int64_t>() <= begun;
        if (!is_over) {
            found.push_back(holders[i]);
        }
    }
    return found;
}

std::string render_holders(const json& status, const json& session) {
    std::string text;
    const auto line = [&text](const std::string& words) {
        text += fmt::format("{:<12} {}\n", text.empty() ? "served by" : "", printable(words));
    };
    const json holders = holders_since(status, session);
    // A second, since two nodes' times are compared.
    constexpr std::int64_t kLeewayMs = 1000;
    if (!holders.empty() &&
        holders.front().at("since_unix_ms").get<std::int64_t>() > begun_ms(session) + kLeewayMs) {
        line("an earlier node, which this vpnhad does not know");
    }
    for (const json& holder : holders) {
        const auto since_ms = holder.at("since_unix_ms").get<std::uint64_t>();
        line(fmt::format("{} since {}", node_name(status, holder.at("node")),
                         adapters::utc_s(since_ms * 1000)));
    }
    return text;
}

}  // namespace vpnha::cli::session
