// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/status_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;

// "gw2 (2)", or the bare number when the member is not known.
std::string node_name(const json& status, const json& id) {
    if (!id.is_number()) {
        return "none";
    }
    for (const json& member : status.at("members")) {
        if (member.at("id") == id) {
            return fmt::format("{} ({})", member.at("name").get<std::string>(),
                               id.get<std::uint64_t>());
        }
    }
    return fmt::format("node {}", id.get<std::uint64_t>());
}

std::string standbys_of(const json& status, const json& gateway) {
    std::string text;
    for (const json& id : gateway.at("standbys")) {
        text += fmt::format("{}{}", text.empty() ? "" : ", ", node_name(status, id));
    }
    return text.empty() ? "none" : text;
}

Colour colour_of_role(const std::string& role) {
    return role == "promoted" ? Colour::green : role == "detached" ? Colour::yellow : Colour::plain;
}

void add_findings(const json& gateway, std::vector<Finding>& findings) {
    const auto add = [&](Health health, const std::string& text) {
        findings.push_back(
            {health, fmt::format("gateway {}: {}", gateway.at("name").get<std::string>(), text)});
    };
    const auto role = gateway.at("role").get<std::string>();
    const auto replica = gateway.at("replica").get<std::string>();
    const json& sessions = gateway.at("sessions");
    const auto total = sessions.at("total").get<std::uint64_t>();
    const auto kept = sessions.at("protected").get<std::uint64_t>();
    const auto quarantined = sessions.at("quarantined").get<std::uint64_t>();
    if (gateway.at("promoted_node").is_null()) {
        add(Health::critical, "no node is promoted");
    }
    if (role == "promoted" && gateway.at("gate") != "open") {
        add(Health::critical, "this node is promoted, but its gate is shut");
    }
    if (role == "detached") {
        add(Health::degraded, "this node does not take part");
    } else if (role == "unpromoted" && replica != "complete") {
        add(Health::degraded, fmt::format("the replica of this node is {}", replica));
    }
    if (gateway.at("standbys").empty()) {
        add(Health::degraded, "no node could take over");
    }
    // Only the promoted node hears its standbys' confirmations.
    if (role == "promoted" && kept < total) {
        add(Health::degraded,
            fmt::format("{} of {} sessions are not protected", total - kept, total));
    }
    if (quarantined > 0) {
        add(Health::degraded, fmt::format("{} records cannot be applied here", quarantined));
    }
}

std::string heading(const json& status) {
    const json& node = status.at("node");
    return fmt::format("Node {} ({}), vpnha {}, {} of the cluster's nodes run vpnhad.\n",
                       node.at("name").get<std::string>(), node.at("id").get<std::uint64_t>(),
                       status.at("version").get<std::string>(), status.at("members").size());
}

}  // namespace

std::vector<Finding> findings_of(const json& status) {
    std::vector<Finding> findings;
    for (const json& gateway : status.at("gateways")) {
        add_findings(gateway, findings);
    }
    std::stable_sort(findings.begin(), findings.end(),
                     [](const Finding& a, const Finding& b) { return a.health > b.health; });
    return findings;
}

Health health_of(const std::vector<Finding>& findings) {
    return findings.empty() ? Health::ok : findings.front().health;
}

std::string render_status(const json& status, bool use_colour) {
    std::vector<Row> rows;
    for (const json& gateway : status.at("gateways")) {
        const json& sessions = gateway.at("sessions");
        const auto role = gateway.at("role").get<std::string>();
        rows.push_back({gateway.at("name").get<std::string>(),
                        {role, colour_of_role(role)},
                        node_name(status, gateway.at("promoted_node")),
                        standbys_of(status, gateway),
                        gateway.at("replica").get<std::string>(),
                        gateway.at("gate").get<std::string>(),
                        std::to_string(sessions.at("total").get<std::uint64_t>()),
                        std::to_string(sessions.at("protected").get<std::uint64_t>()),
                        std::to_string(sessions.at("resumed").get<std::uint64_t>()),
                        gateway.at("epoch").get<std::string>()});
    }
    std::string text = printable(heading(status).substr(0, heading(status).size() - 1)) + "\n\n";
    text += render_table({"GATEWAY", "ROLE HERE", "PROMOTED", "STANDBYS", "REPLICA", "GATE",
                          "SESSIONS", "PROTECTED", "RESUMED", "EPOCH"},
                         rows, use_colour);
    text += "\n";
    const std::vector<Finding> findings = findings_of(status);
    for (const Finding& finding : findings) {
        const Colour colour = finding.health == Health::critical ? Colour::red : Colour::yellow;
        text += paint(printable(finding.text), colour, use_colour) + "\n";
    }
    if (findings.empty()) {
        text += paint("Every session would survive the loss of its gateway.", Colour::green,
                      use_colour) +
                "\n";
    }
    return text;
}

std::string render_peers(const json& status, bool use_colour) {
    std::vector<Row> rows;
    for (const json& member : status.at("members")) {
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
        const bool is_this = member.at("id") == status.at("node").at("id");
        rows.push_back({std::to_string(member.at("id").get<std::uint64_t>()),
                        member.at("name").get<std::string>() + (is_this ? " (this node)" : ""),
                        std::to_string(member.at("wire_version").get<std::uint64_t>()),
                        {promoted, Colour::green},
                        standby});
    }
    return render_table({"ID", "NODE", "WIRE VERSION", "PROMOTED FOR", "STANDBY FOR"}, rows,
                        use_colour);
}

std::string render_check(const json& status) {
    const std::vector<Finding> findings = findings_of(status);
    if (findings.empty()) {
        std::uint64_t sessions = 0;
        for (const json& gateway : status.at("gateways")) {
            sessions += gateway.at("sessions").at("total").get<std::uint64_t>();
        }
        return fmt::format("VPNHA OK - {} gateways, {} sessions\n", status.at("gateways").size(),
                           sessions);
    }
    std::string text =
        health_of(findings) == Health::critical ? "VPNHA CRITICAL - " : "VPNHA WARNING - ";
    for (const Finding& finding : findings) {
        text += (&finding == &findings.front() ? "" : "; ") + printable(finding.text);
    }
    return text + "\n";
}

}  // namespace vpnha::cli
