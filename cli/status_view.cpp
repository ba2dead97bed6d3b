// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/status_view.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "cli/findings.hpp"
#include "cli/old_programs.hpp"
#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;

std::string standbys_of(const json& status, const json& gateway) {
    std::string text;
    for (const json& id : gateway.at("standbys")) {
        text += fmt::format("{}{}", text.empty() ? "" : ", ", node_name(status, id));
    }
    return text.empty() ? "none" : text;
}

// "good", or both sides if one of them is not.
std::string links_of(const json& gateway) {
    const json& links = gateway.at("links");
    const auto outside = links.at("outside").get<std::string>();
    const auto inside = links.at("inside").get<std::string>();
    return outside == "good" && inside == "good"
               ? "good"
               : fmt::format("outside {}, inside {}", outside, inside);
}

Colour colour_of_role(const std::string& role) {
    return role == "promoted"                                                 ? Colour::green
           : role == "detached" || role == "stopped" || role == "standing-in" ? Colour::yellow
                                                                              : Colour::plain;
}

std::string role_of(const json& status, const json& gateway) {
    return gateway.at("standing_in").get<bool>()
               ? fmt::format("stands in ({})", standing_in_of(status, gateway))
               : gateway.at("role").get<std::string>();
}

// "512 octets", "1.5 KiB", "120.4 MiB".
std::string size_text(std::uint64_t octets) {
    constexpr double kMebi = 1024.0 * 1024;
    const auto amount = static_cast<double>(octets);
    if (octets < 1024) {
        return fmt::format("{} octets", octets);
    }
    return amount < kMebi ? fmt::format("{:.1f} KiB", amount / 1024)
                          : fmt::format("{:.1f} MiB", amount / kMebi);
}

// A standby's are in its kernel already; the promoted node's are its kernel's own.
std::string flows_of(const json& gateway) {
    const json& conntrack = gateway.at("conntrack");
    const auto flows = conntrack.at("flows").get<std::uint64_t>();
    const auto installed = conntrack.at("installed").get<std::uint64_t>();
    if (!conntrack.at("replicated").get<bool>()) {
        return "off";
    }
    return gateway.at("role") == "promoted" || installed == flows
               ? std::to_string(flows)
               : fmt::format("{}, {} of them here", flows, installed);
}

std::string render_records(const json& status, bool use_colour) {
    std::vector<Row> rows;
    const auto number = [](const json& records, const char* name) {
        return records.at(name).get<std::uint64_t>();
    };
    for (const json& gateway : status.at("gateways")) {
        const json& records = gateway.at("records");
        const auto standing = gateway.at("standing").get<std::string>();
        rows.push_back(
            {gateway.at("name").get<std::string>(),
             {standing, standing == "complete" ? Colour::plain : Colour::yellow},
             fmt::format("{} of {}", number(records, "count"), number(records, "count_max")),
             flows_of(gateway),
             std::to_string(number(records, "unsent")),
             std::to_string(number(records, "installing")),
             fmt::format("{} of {}", number(records, "tombstones"),
                         number(records, "tombstones_max")),
             fmt::format("{} of {}", size_text(number(records, "memory_bytes")),
                         size_text(number(records, "memory_bytes_max")))});
    }
    return render_table(
        {"GATEWAY", "STANDING", "RECORDS", "FLOWS", "UNSENT", "INSTALLING", "TOMBSTONES", "MEMORY"},
        rows, use_colour);
}

std::string render_addresses(const json& status) {
    std::string text;
    for (const json& gateway : status.at("gateways")) {
        const auto number = [&gateway](const char* name) {
            return gateway.at("addresses").at(name).get<std::uint64_t>();
        };
        if (number("pool") != 0) {
            text += fmt::format(
                "Gateway {}: clients have {} of {} addresses, {} are held for a moment.\n",
                printable(gateway.at("name").get<std::string>()), number("in_use"), number("pool"),
                number("held"));
        }
    }
    return text.empty() ? text : text + "\n";
}

std::string render_drained(const json& status) {
    std::string text;
    for (const json& gateway : status.at("gateways")) {
        if (gateway.value("drained", false)) {
            text += fmt::format("Gateway {} accepts no new clients: it is drained.\n",
                                printable(gateway.at("name").get<std::string>()));
        }
    }
    return text.empty() ? text : text + "\n";
}

// A standby's gate drops packets all the time; those dropped by a promoted node's are lost.
std::string render_drops(const json& status) {
    std::string text;
    for (const json& gateway : status.at("gateways")) {
        const json& drops = gateway.at("gate_drops");
        if (gateway.at("role") != "promoted" || drops.is_null()) {
            continue;
        }
        const auto packets = [&drops](const char* reason) {
            return drops.at("in").at(reason).get<std::uint64_t>() +
                   drops.at("out").at(reason).get<std::uint64_t>();
        };
        const std::string name = printable(gateway.at("name").get<std::string>());
        if (const std::uint64_t expired = packets("expired"); expired != 0) {
            text += fmt::format(
                "Gateway {}: {} packets were dropped here because the lease had run "
                "out.\n",
                name, expired);
        }
        if (const std::uint64_t ends = packets("ending"); ends != 0) {
            text += fmt::format("Gateway {}: {} ends of TCP connections were held back here.\n",
                                name, ends);
        }
        if (const std::uint64_t clear = packets("cleartext"); clear != 0) {
            text +=
                fmt::format("Gateway {}: {} packets of L2TP outside of IPsec were dropped here.\n",
                            name, clear);
        }
    }
    return text.empty() ? text : text + "\n";
}

std::string heading(const json& status) {
    const json& node = status.at("node");
    return fmt::format(
        "Node {} ({}), vpnha {}, {} of the cluster's nodes run vpnhad; {}, {}, wire version {}.",
        node.at("name").get<std::string>(), node.at("id").get<std::uint64_t>(),
        status.at("version").get<std::string>(), status.at("members").size(),
        status.at("quorate").get<bool>() ? "quorate" : "no quorum",
        status.at("encryption").at("on").get<bool>() ? "encrypted" : "not encrypted",
        status.at("wire_version").get<std::uint64_t>());
}

std::string quorum_line(const json& status) {
    const json& quorum = status.at("quorum");
    return fmt::format("Quorum: {}; after the loss of one {}.",
                       quorum.at("mode").get<std::string>(),
                       quorum.at("after_loss").get<std::string>());
}

}  // namespace

std::string render_status(const json& status, bool use_colour) {
    std::vector<Row> rows;
    for (const json& gateway : status.at("gateways")) {
        const json& sessions = gateway.at("sessions");
        const auto role = gateway.at("role").get<std::string>();
        rows.push_back({gateway.at("name").get<std::string>(),
                        {role_of(status, gateway), colour_of_role(role)},
                        node_name(status, gateway.at("promoted_node")),
                        standbys_of(status, gateway),
                        gateway.at("replica").get<std::string>(),
                        gateway.at("gate").get<std::string>(),
                        links_of(gateway),
                        std::to_string(sessions.at("total").get<std::uint64_t>()),
                        std::to_string(sessions.at("protected").get<std::uint64_t>()),
                        std::to_string(sessions.at("resumed").get<std::uint64_t>()),
                        gateway.at("epoch").get<std::string>()});
    }
    std::string text = printable(heading(status)) + "\n" + printable(quorum_line(status)) + "\n" +
                       witness_line(status) + "\n";
    text += render_table({"GATEWAY", "ROLE HERE", "PROMOTED", "STANDBYS", "REPLICA", "GATE",
                          "LINKS", "SESSIONS", "PROTECTED", "RESUMED", "EPOCH"},
                         rows, use_colour);
    text += "\n" + render_records(status, use_colour) + "\n" + render_addresses(status) +
            render_drained(status) + render_drops(status) + render_old_programs(status);
    const std::vector<Finding> findings = findings_of(status);
    for (const Finding& finding : findings) {
        const Colour colour = finding.health == Health::critical ? Colour::red : Colour::yellow;
        text += paint(printable(finding.text), colour, use_colour) + "\n";
    }
    if (findings.empty()) {
        const std::string others = nodes_to_ask(status);
        text += paint(others.empty()
                          ? "Every session would survive the loss of its gateway."
                          : printable(fmt::format("Nothing is amiss here; ask the promoted node "
                                                  "about sessions: {}.",
                                                  others)),
                      Colour::green, use_colour) +
                "\n";
    }
    return text;
}

std::string render_check(const json& status) {
    const std::vector<Finding> findings = findings_of(status);
    if (findings.empty()) {
        std::uint64_t sessions = 0;
        for (const json& gateway : status.at("gateways")) {
            sessions += gateway.at("sessions").at("total").get<std::uint64_t>();
        }
        const std::string others = nodes_to_ask(status);
        return fmt::format(
            "VPNHA OK - {} gateways, {} sessions{}\n", status.at("gateways").size(), sessions,
            others.empty() ? ", all protected"
                           : "; ask " + printable(others) + " whether they are protected");
    }
    std::string text =
        health_of(findings) == Health::critical ? "VPNHA CRITICAL - " : "VPNHA WARNING - ";
    for (const Finding& finding : findings) {
        text += (&finding == &findings.front() ? "" : "; ") + printable(finding.text);
    }
    return text + "\n";
}

}  // namespace vpnha::cli
