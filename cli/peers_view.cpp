// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/peers_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "cli/findings.hpp"
#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;

std::string text_or(const json& value, const std::string& fallback) {
    return value.is_string() ? value.get<std::string>() : fallback;
}

// "1", or "1 to 2" for a node that supports more than one.
std::string versions_of(const json& member) {
    const json& highest = member.at("wire_version");
    const json& lowest = member.at("wire_version_min");
    if (!highest.is_number() || !lowest.is_number()) {
        return "unknown";
    }
    return lowest == highest
               ? std::to_string(highest.get<std::uint64_t>())
               : fmt::format("{} to {}", lowest.get<std::uint64_t>(), highest.get<std::uint64_t>());
}

Row row_of(const json& status, const json& member) {
    std::string promoted;
    std::string standby;
    for (const json& gateway : status.at("gateways")) {
        const auto name = gateway.at("name").get<std::string>();
        if (gateway.at("promoted_node") == member.at("id")) {
            promoted += (promoted.empty() ? "" : ", ") + name;
        }
        const json& standbys = gateway.at("standbys");
        if (std::find(standbys.begin(), standbys.end(), member.at("id")) != standbys.end()) {
            standby += (standby.empty() ? "" : ", ") + name;
        }
    }
    const json& differences = status.at("differences");
    const auto differing =
        std::count_if(differences.begin(), differences.end(),
                      [&](const json& each) { return each.at("node") == member.at("id"); });
    const bool is_this = member.at("id") == status.at("node").at("id");
    const bool compatible = member.at("compatible").get<bool>();
    return {std::to_string(member.at("id").get<std::uint64_t>()),
            text_or(member.at("name"), "unknown") + (is_this ? " (this node)" : ""),
            {versions_of(member), compatible ? Colour::plain : Colour::red},
            text_or(member.at("instance"), "unknown"),
            {promoted, Colour::green},
            standby,
            is_this ? "" : fmt::format("{} items", differing)};
}

// "120 ms, which gw2 needs"
std::string lease_text(const json& status, const json& lease) {
    const std::string text = fmt::format("{:.0f} ms", lease.at("duration_ms").get<double>());
    const json& sizing = lease.at("sizing");
    if (sizing.is_null()) {
        return text;
    }
    const json& slowest = sizing.at("slowest");
    return fmt::format("{}, which {} needs", text,
                       slowest.is_null() ? "this node" : node_name(status, slowest));
}

// How late the rounds of this node's leases began, which the slack has to cover.
std::string render_rounds(const json& status, bool use_colour) {
    std::vector<Row> rows;
    for (const json& gateway : status.at("gateways")) {
        const json& rounds = gateway.at("lease").at("rounds");
        const auto late = rounds.at("late").get<std::vector<std::uint64_t>>();
        const std::uint64_t count = std::accumulate(late.begin(), late.end(), std::uint64_t{0});
        if (count == 0) {
            continue;
        }
        const auto worst = rounds.at("worst_of_day_ms").get<double>();
        const auto slack = rounds.at("slack_ms").get<double>();
        rows.push_back(
            {gateway.at("name").get<std::string>(),
             std::to_string(count),
             fmt::format("{:.1f} ms",
                         rounds.at("late_sum_ms").get<double>() / static_cast<double>(count)),
             {fmt::format("{:.0f} ms", worst), 2 * worst > slack ? Colour::red : Colour::plain},
             fmt::format("{:.0f} ms", slack),
             lease_text(status, gateway.at("lease"))});
    }
    return rows.empty() ? ""
                        : "\nRounds of the leases that this node has held:\n" +
                              render_table({"GATEWAY", "ROUNDS", "LATE BY (MEAN)", "WORST OF A DAY",
                                            "LOST WHEN LATER THAN", "LEASE"},
                                           rows, use_colour);
}

}  // namespace

std::string render_peers(const json& status, bool use_colour) {
    std::vector<Row> rows;
    for (const json& member : status.at("members")) {
        rows.push_back(row_of(status, member));
    }
    std::string text = render_table(
        {"ID", "NODE", "WIRE VERSION", "INSTANCE", "PROMOTED FOR", "STANDBY FOR", "DIFFERS IN"},
        rows, use_colour);
    std::vector<Row> differences;
    for (const json& difference : status.at("differences")) {
        const bool weighs = difference.at("weight") == "session";
        differences.push_back({node_name(status, difference.at("node")),
                               text_or(difference.at("gateway"), "(all)"),
                               difference.at("item").get<std::string>(),
                               {weighs ? "sessions would not continue" : "note",
                                weighs ? Colour::red : Colour::plain}});
    }
    if (const std::string witness = witness_line(status); !witness.empty()) {
        text += "\n" + witness;
    }
    if (!differences.empty()) {
        text += "\nDifferences from this node:\n" +
                render_table({"NODE", "GATEWAY", "ITEM", "MEANS"}, differences, use_colour);
    }
    return text + render_rounds(status, use_colour);
}

}  // namespace vpnha::cli
