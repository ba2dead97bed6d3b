// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/preconditions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/findings.hpp"
#include "cli/table.hpp"

namespace vpnha::cli::drill {

namespace {

using nlohmann::json;
using Reasons = std::vector<std::string>;

void add_gateway(const json& gateway, std::size_t standbys, Reasons& reasons) {
    const auto name = printable(gateway.at("name").get<std::string>());
    if (standbys == 0) {
        reasons.push_back(fmt::format(
            "no standby of {} is in sync: nobody could take over; `vpnha status` on the other "
            "nodes names the blockers",
            name));
    }
    if (gateway.at("drained").get<bool>()) {
        reasons.push_back(
            fmt::format("{} is drained, and accepts no clients: vpnha undrain {}", name, name));
    }
    if (gateway.at("role") == "standing-in" || gateway.at("role") == "draining") {
        reasons.push_back(
            fmt::format("{} is on its way to another node: wait until crm_mon is calm", name));
    }
    const json& sessions = gateway.at("sessions");
    const auto total = sessions.at("total").get<std::uint64_t>();
    const auto kept = sessions.at("protected").get<std::uint64_t>();
    // Only the promoted node knows.
    if (gateway.at("role") == "promoted" && kept < total) {
        reasons.push_back(
            fmt::format("{} of {} sessions are not protected, and would be lost: `vpnha sessions` "
                        "has the reasons",
                        total - kept, total));
    }
}

void add_cluster(const ClusterState& cluster, Reasons& reasons) {
    for (const ClusterNode& node : cluster.nodes) {
        if (!node.amiss.empty()) {
            reasons.push_back(
                fmt::format("node {} is {}: bring it back (pcs node unstandby, pcs cluster start)",
                            printable(node.name), node.amiss));
        }
    }
    if (cluster.in_maintenance) {
        reasons.emplace_back(
            "the cluster is in maintenance mode, and Pacemaker moves nothing: crm_attribute --name "
            "maintenance-mode --delete");
    }
    if (!cluster.fencing_enabled) {
        reasons.emplace_back(
            "fencing is off, so a lost node could serve on: set the property stonith-enabled=true");
    }
    if (!cluster.has_fencing) {
        reasons.emplace_back(
            "no fencing device is started: configure one (docs/use/cluster-templates.md), and look "
            "at crm_mon");
    }
    if (!cluster.unmanaged.empty()) {
        reasons.push_back(
            fmt::format("Pacemaker does not manage {}: pcs resource manage",
                        printable(fmt::format("{}", fmt::join(cluster.unmanaged, ", ")))));
    }
    if (!cluster.failures.empty()) {
        reasons.push_back(fmt::format(
            "Pacemaker remembers failed actions ({}): see to them, then crm_resource --cleanup",
            printable(fmt::format("{}", fmt::join(cluster.failures, ", ")))));
    }
}

void add_place(const Facts& facts, const Order& order, Reasons& reasons) {
    const KindOf& kind = kind_of(order.kind);
    const std::string serving = facts.serving(order.gateway);
    const bool is_here = serving == facts.node();
    if (kind.where == Where::there && !is_here) {
        reasons.push_back(fmt::format("{} is done on the node that serves: run it on {}", kind.name,
                                      serving.empty() ? "it" : serving));
    }
    if (kind.where == Where::elsewhere && is_here) {
        reasons.push_back(fmt::format(
            "this node, {}, serves, and would be switched off with the drill: run it on another "
            "node",
            serving));
    }
    if (is_here && !order.watch.empty()) {
        reasons.emplace_back(
            "--watch on the node that serves watches nothing but itself: leave it out, and run "
            "`vpnha drill watch` on another machine");
    }
}

void add_service(const Facts& facts, const Order& order, Reasons& reasons) {
    if (order.service.empty()) {
        reasons.emplace_back("name the program that is to hang: --service NAME");
    } else if (!facts.service_runs) {
        reasons.push_back(fmt::format("no program of the name {} runs here: see `ps -e` for it",
                                      printable(order.service)));
    }
    if (!facts.is_probed) {
        reasons.push_back(fmt::format(
            "no ocf:vpnha:probe asks {}, so nobody would notice: load cib-templates/probe.crm",
            printable(order.gateway)));
    }
}

void add_link(const Facts& facts, Reasons& reasons) {
    const OutsideDevice& device = facts.outside;
    if (!device.trouble.empty()) {
        reasons.push_back(
            fmt::format("the device {} could not be put back: {}; pull the cable "
                        "instead",
                        printable(device.name), device.trouble));
    }
    for (const ClusterLink& link : facts.links) {
        if (std::ranges::find(device.addresses, link.local) != device.addresses.end()) {
            reasons.push_back(fmt::format(
                "Corosync's link {} runs over {}: that would be a partition, too; drill "
                "that one, or give Corosync a link of its own",
                printable(link.local), printable(device.name)));
            break;
        }
    }
}

void add_partition(const Facts& facts, const Order& order, Reasons& reasons) {
    if (facts.links.empty()) {
        reasons.emplace_back("corosync-cfgtool -n names no link to another node: is Corosync up?");
    }
    if (facts.stonith_action == "off" && !order.stays_off) {
        reasons.push_back(fmt::format(
            "stonith-action is off: {} will be switched off and stays off. Give --stays-off when "
            "somebody will switch it on (stonith_admin --unfence, or its power button)",
            facts.node()));
    }
}

}  // namespace

std::vector<std::string> unhealthy(const Facts& facts, const std::string& gateway) {
    Reasons reasons;
    const json* const found = facts.gateway(gateway);
    if (found == nullptr) {
        return {fmt::format("vpnhad of this node has no gateway {}: `vpnha status` names them",
                            printable(gateway))};
    }
    for (const Finding& finding : findings_of(facts.status)) {
        if (finding.health == Health::critical) {
            reasons.push_back(fmt::format("{}: docs/operate/runbooks.md", printable(finding.text)));
        }
    }
    add_gateway(*found, facts.standbys(gateway), reasons);
    if (facts.cluster) {
        add_cluster(*facts.cluster, reasons);
    } else {
        reasons.push_back(fmt::format("Pacemaker does not answer ({}): is it started here?",
                                      printable(facts.cluster.error().detail)));
    }
    for (const std::string& constraint : facts.constraints) {
        reasons.push_back(printable(constraint));
    }
    return reasons;
}

std::vector<std::string> unfit(const Facts& facts, const Order& order) {
    Reasons reasons;
    if (facts.gateway(order.gateway) == nullptr) {
        return reasons;
    }
    add_place(facts, order, reasons);
    switch (order.kind) {
        case Kind::service:
            add_service(facts, order, reasons);
            break;
        case Kind::link:
            add_link(facts, reasons);
            break;
        case Kind::partition:
            add_partition(facts, order, reasons);
            break;
        case Kind::switchover:
        case Kind::node_power:
        case Kind::daemon:
            break;
    }
    return reasons;
}

std::vector<std::string> notes(const Facts& facts) {
    std::vector<std::string> texts;
    for (const Finding& finding : findings_of(facts.status)) {
        if (finding.health == Health::degraded) {
            texts.push_back(printable(finding.text));
        }
    }
    return texts;
}

}  // namespace vpnha::cli::drill
