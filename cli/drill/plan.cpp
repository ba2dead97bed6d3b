// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "cli/drill/programs.hpp"
#include "cli/table.hpp"

namespace vpnha::cli::drill {

namespace {

// Fencing may try several devices, and a machine's board is slow.
constexpr std::chrono::seconds kFencing{180};
// The command itself waits for 60 s.
constexpr std::chrono::seconds kMove{90};
constexpr const char* kTable = "vpnha_drill";
// vpnha(8): moved, and sessions were lost.
constexpr int kMovedWithLosses = 6;
constexpr int kNoProcess = 1;  // pkill(1)

// Removes Pacemaker's failures of this node. There were none before.
Command forget_failures(const Facts& facts) {
    return {.words = {kCrmResource, "--cleanup", "--node", facts.node()}};
}

std::string moved_along(const Facts& facts) {
    std::vector<std::string> names;
    for (const nlohmann::json& each : facts.status.at("gateways")) {
        if (each.at("role") == "promoted") {
            names.push_back(printable(each.at("name").get<std::string>()));
        }
    }
    return names.size() > 1 ? fmt::format("; all that it serves move: {}", fmt::join(names, ", "))
                            : "";
}

Plan plan_switchover(const Order& order, const Facts& facts) {
    Plan plan{.fault = fmt::format("{} moves to {}", printable(order.gateway),
                                   order.to.empty() ? "its best standby" : printable(order.to)),
              .strike = {{.words = {facts.program, "switchover", order.gateway},
                          .timeout = kMove,
                          .also_good = kMovedWithLosses}},
              .undo = {},
              .left = {"the gateway stays where it is then: a move back would be a second one"}};
    if (!order.to.empty()) {
        plan.strike.front().words.insert(plan.strike.front().words.end(), {"--to", order.to});
    }
    return plan;
}

Plan plan_node_power(const Order& order, const Facts& facts) {
    const std::string serving = facts.serving(order.gateway);
    return {.fault = fmt::format("the cluster's fencing resets {}, which serves", serving),
            .strike = {{.words = {kStonithAdmin, "--reboot", serving, "--timeout",
                                  std::to_string(kFencing.count() - 10)},
                        .timeout = kFencing}},
            .undo = {},
            .left = {fmt::format("{} boots; whether the cluster starts there is its own setting",
                                 serving)}};
}

Plan plan_daemon(const Facts& facts) {
    return {.fault = fmt::format("SIGKILL of vpnhad of {}{}", facts.node(), moved_along(facts)),
            .strike = {{.words = {kPkill, "-KILL", "-x", "vpnhad"}}},
            .undo = {forget_failures(facts)},
            .left = {}};
}

Plan plan_service(const Order& order, const Facts& facts) {
    return {.fault = fmt::format("SIGSTOP of {} of {}{}", printable(order.service), facts.node(),
                                 moved_along(facts)),
            .strike = {{.words = {kPkill, "-STOP", "-x", order.service}}},
            // Its agent may have ended the program meanwhile.
            .undo = {{.words = {kPkill, "-CONT", "-x", order.service}, .also_good = kNoProcess},
                     forget_failures(facts)},
            .left = {"ocf:vpnha:probe keeps this node marked as dead for the time of its parameter "
                     "forget"}};
}

// In the network namespace of the device.
Command beside(const OutsideDevice& device, std::vector<std::string> words) {
    if (!device.netns.empty()) {
        words.insert(words.begin(), {kIp, "netns", "exec", device.netns});
    }
    return {.words = std::move(words)};
}

Plan plan_link(const Facts& facts) {
    const OutsideDevice& device = facts.outside;
    Plan plan{.fault = fmt::format("{} of {} is set down{}", printable(device.name), facts.node(),
                                   moved_along(facts)),
              .strike = {},
              .undo = {beside(device, {kIp, "link", "set", "dev", device.name, "up"})},
              .left = {}};
    const std::string key = fmt::format("net/ipv6/conf/{}/keep_addr_on_down", device.name);
    const bool keeps = device.keeps_addresses.empty() || device.keeps_addresses == "1";
    if (!keeps) {
        plan.strike.push_back(beside(device, {kSysctl, "-q", "-w", key + "=1"}));
    }
    plan.strike.push_back(beside(device, {kIp, "link", "set", "dev", device.name, "down"}));
    const auto put_back = [&](const char* family, const std::vector<std::string>& route) {
        std::vector<std::string> words{kIp, family, "route", "replace"};
        words.insert(words.end(), route.begin(), route.end());
        words.insert(words.end(), {"dev", device.name});
        plan.undo.push_back(beside(device, std::move(words)));
    };
    for (const auto& route : device.routes4) {
        put_back("-4", route);
    }
    for (const auto& route : device.routes6) {
        put_back("-6", route);
    }
    if (!keeps) {
        plan.undo.push_back(
            beside(device, {kSysctl, "-q", "-w", key + "=" + device.keeps_addresses}));
    }
    plan.undo.push_back(forget_failures(facts));
    return plan;
}

// A ruleset that drops packets to and from these addresses.
std::string drops(const std::set<std::string>& addresses, std::string_view family) {
    if (addresses.empty()) {
        return {};
    }
    return fmt::format(
        "add rule inet {0} in {1} saddr {{ {2} }} drop; add rule inet {0} out {1} daddr {{ {2} }} "
        "drop; ",
        kTable, family, fmt::join(addresses, ", "));
}

Plan plan_partition(const Facts& facts) {
    std::set<std::string> addresses4;
    std::set<std::string> addresses6;
    for (const ClusterLink& link : facts.links) {
        (link.remote.find(':') == std::string::npos ? addresses4 : addresses6).insert(link.remote);
    }
    // Before connection tracking, which would record the dropped packets. Requests to a witness
    // leave from the lease's port.
    const std::string ruleset = fmt::format(
        "add table inet {0}; "
        "add chain inet {0} in {{ type filter hook input priority -350; policy accept; }}; "
        "add chain inet {0} out {{ type filter hook output priority -350; policy accept; }}; "
        "{1}{2}add rule inet {0} in udp dport {3} drop; add rule inet {0} out udp sport {3} drop",
        kTable, drops(addresses4, "ip"), drops(addresses6, "ip6"), facts.lease_port);
    return {.fault = fmt::format("nftables of {} drops all packets from and to the other nodes{}",
                                 facts.node(), moved_along(facts)),
            .strike = {{.words = {kNft, ruleset}}},
            // It makes the table first, so that deleting a missing table is no error.
            .undo = {{.words = {kNft,
                                fmt::format("add table inet {0}; delete table inet {0}", kTable)}},
                     forget_failures(facts)},
            .left = {fmt::format("the other nodes fence {} (stonith-action={}); this drill ends "
                                 "with it, and its record is in the file of --json",
                                 facts.node(),
                                 facts.stonith_action.empty() ? "reboot" : facts.stonith_action)}};
}

}  // namespace

Plan plan_of(const Order& order, const Facts& facts) {
    switch (order.kind) {
        case Kind::switchover:
            return plan_switchover(order, facts);
        case Kind::node_power:
            return plan_node_power(order, facts);
        case Kind::daemon:
            return plan_daemon(facts);
        case Kind::service:
            return plan_service(order, facts);
        case Kind::link:
            return plan_link(facts);
        case Kind::partition:
            break;
    }
    return plan_partition(facts);
}

std::string text_of(const Command& command) {
    std::string text;
    for (const std::string& word : command.words) {
        const bool is_plain = word.find_first_of(" {};") == std::string::npos;
        text += fmt::format("{}{}", text.empty() ? "" : " ", is_plain ? word : "'" + word + "'");
    }
    return printable(text);
}

}  // namespace vpnha::cli::drill
