// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/findings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;

// Pacemaker normally promotes a node that stands in long before this.
constexpr std::int64_t kLongStandInMs = 10'000;

class Findings {
  public:
    explicit Findings(const json& status) : status_(status) {}

    void add(Health health, std::string text) { list_.push_back({health, std::move(text)}); }

    // The reasons why a standby could not resume all sessions.
    void add_standing(const json& gateway) {
        const auto replica = gateway.at("replica").get<std::string>();
        const json& reasons = gateway.at("blockers");
        for (const json& reason : reasons) {
            add_of(gateway, Health::degraded, "this node: " + reason.get<std::string>());
        }
        if (reasons.empty() && replica != "complete") {
            add_of(gateway, Health::degraded,
                   fmt::format("the replica of this node is {}", replica));
        }
    }

    // Why no majority grants the lease, as far as this node knows, and who can end it.
    [[nodiscard]] std::string voters_missing(const json& gateway) const {
        const json& voters = gateway.at("lease").at("voters");
        std::string missing;
        std::size_t count = 0;
        for (const json& voter : voters) {
            const json& members = status_.at("members");
            const json& witness = gateway.at("lease").at("witness");
            const bool is_witness = voter == kWitnessId;
            const bool is_answering = is_witness && witness.at("answers").get<bool>();
            if (!is_answering &&
                std::none_of(members.begin(), members.end(),
                             [&voter](const json& member) { return member.at("id") == voter; })) {
                ++count;
                missing +=
                    fmt::format("{}{}", missing.empty() ? "" : ", ", node_name(status_, voter));
            }
        }
        // The findings about its memory are more precise.
        if (2 * (voters.size() - count) > voters.size() ||
            !gateway.at("lease").at("remembers").get<bool>()) {
            return {};
        }
        std::string text = fmt::format(
            ": no majority of {} voters is left without {}; it continues when vpnhad runs there "
            "again",
            voters.size(), missing);
        if (voters.size() == 2) {
            text += fmt::format(", or, if that machine is off: vpnha confirm-dead {} --it-is-off",
                                missing.substr(missing.find(' ') + 1));
        }
        return text;
    }

    [[nodiscard]] std::string names_of(const json& ids) const {
        std::string names;
        for (const json& id : ids) {
            names += fmt::format("{}{}", names.empty() ? "" : ", ", node_name(status_, id));
        }
        return names;
    }

    // The reasons why this node does not vote.
    void add_memory(const json& gateway) {
        const json& lease = gateway.at("lease");
        const json& awaited = lease.at("awaited");
        const json& self = status_.at("node");
        if (awaited == json::array({self.at("id")})) {
            add_of(gateway, Health::degraded,
                   fmt::format("this node was the only voter, and has no memory of the lease (its "
                               "disk is new): nobody else knows what it decided; if no other node "
                               "serves the gateway: vpnha vote-without {} --it-remembers-nothing",
                               printable(self.at("name").get<std::string>())));
        } else if (!awaited.empty()) {
            add_of(gateway, Health::degraded,
                   fmt::format("this node has no memory of the lease (it is new, or its disk is): "
                               "it votes when it has the memory of {}; if that node is "
                               "new, has lost its disk or is off for good: vpnha vote-without NODE "
                               "--it-remembers-nothing",
                               names_of(awaited)));
        }
        if (const json& differing = lease.at("differing"); !differing.empty()) {
            add_of(gateway, Health::critical,
                   fmt::format("{} goes by other voters than this node, and neither list is newer: "
                               "give all nodes the same nodelist in corosync.conf, and restart "
                               "vpnhad",
                               names_of(differing)));
        }
        for (const json& clock : lease.at("clocks_astray")) {
            add_of(
                gateway, Health::degraded,
                fmt::format("the clock of {} runs at {:.3f} of this node's, and the lease relies "
                            "on rates that are nearly equal: this node grants it no lease. Look "
                            "after the clocks of both machines",
                            names_of({clock.at("node")}), clock.at("rate").get<double>()));
        }
    }

    // Reported before the next failure, not at it.
    void add_votes(const json& gateway) {
        const json& lease = gateway.at("lease");
        const json& members = status_.at("members");
        for (const json& vote : lease.at("votes")) {
            const bool is_member = std::any_of(
                members.begin(), members.end(),
                [&vote](const json& member) { return member.at("id") == vote.at("node"); });
            if (is_member && !vote.at("counts").get<bool>()) {
                add_of(gateway, Health::degraded,
                       fmt::format("the vote of {} does not count here: {} on the lease's port",
                                   node_name(status_, vote.at("node")),
                                   lease.at("phase") == "idle"
                                       ? "this node receives nothing from it"
                                       : "it does not answer this node's rounds"));
            }
        }
        // Two voters never have a reserve, nor has a new cluster before its first grant.
        if (lease.at("voters").size() > 2 && lease.at("remembers").get<bool>() &&
            lease.at("reserve").get<int>() == 0) {
            add_of(gateway, Health::degraded,
                   fmt::format("one more vote lost, of {}, and nobody is granted the lease",
                               lease.at("voters").size()));
        }
    }

    void add_witness(const json& gateway) {
        const json& witness = gateway.at("lease").at("witness");
        if (witness.is_null()) {
            return;
        }
        const auto name = printable(witness.at("name").get<std::string>());
        if (!witness.at("answers").get<bool>()) {
            add_of(gateway, Health::degraded,
                   fmt::format("the witness {} does not answer: look whether vpnha-witness runs "
                               "there, and whether UDP gets there and back",
                               name));
        }
        if (witness.at("differing").get<bool>()) {
            add_of(gateway, Health::degraded,
                   "the nodes' vpnha.toml name different witnesses, so the list of voters stays as "
                   "it is: give both nodes the same, and restart vpnhad, the standby first");
        }
        if (witness.at("two").get<bool>()) {
            add_of(gateway, Health::degraded,
                   fmt::format("two witnesses answer with the key of {}, so neither counts: stop "
                               "the copy, a clone or a restored machine",
                               name));
        }
    }

    void add_links(const json& gateway) {
        for (const char* side : {"outside", "inside"}) {
            const auto state = gateway.at("links").at(side).get<std::string>();
            if (state == "no-carrier") {
                add_of(gateway, Health::degraded,
                       fmt::format("the {} link of this node has no carrier", side));
            } else if (state == "no-answer" || state == "unknown") {
                add_of(gateway, Health::degraded,
                       fmt::format("no neighbour answers on the {} link of this node", side));
            } else if (state == "settling") {
                add_of(gateway, Health::degraded,
                       fmt::format("the {} link of this node was lost a short time ago", side));
            }
        }
    }

    // Of the first session that is not protected.
    static std::string reason_of(const json& sessions) {
        const json reason = sessions.value("reason", json(nullptr));
        return reason.is_string() ? ": " + printable(reason.get<std::string>()) : std::string();
    }

    void add_gateway(const json& gateway) {
        const auto role = gateway.at("role").get<std::string>();
        const json& sessions = gateway.at("sessions");
        const auto total = sessions.at("total").get<std::uint64_t>();
        const auto kept = sessions.at("protected").get<std::uint64_t>();
        const auto quarantined = sessions.at("quarantined").get<std::uint64_t>();
        if (role == "standing-in" &&
            gateway.at("standing_in_ms").get<std::int64_t>() >= kLongStandInMs) {
            add_of(gateway, Health::degraded,
                   fmt::format("this node stands in {}", standing_in_of(status_, gateway)));
        }
        if (gateway.at("promoted_node").is_null() && role != "standing-in") {
            add_of(gateway, Health::critical, "no node is promoted");
        }
        if (role == "promoted" && gateway.at("gate") != "open") {
            add_of(gateway, Health::critical,
                   "this node is promoted, but its gate is shut" + voters_missing(gateway));
        }
        if (role == "detached") {
            add_of(gateway, Health::degraded, "this node does not take part");
        }
        const bool is_standby = role == "unpromoted" || role == "stopped";
        if (is_standby) {
            add_standing(gateway);
        }
        // The reasons of a standby include it.
        if (!is_standby) {
            for (const json& conflict : gateway.at("routing")) {
                add_of(gateway, Health::degraded, "this node: " + conflict.get<std::string>());
            }
        }
        add_memory(gateway);
        if (!gateway.at("lease").at("saves").get<bool>()) {
            add_of(gateway, Health::degraded,
                   "this node does not vote: the disk does not take what it has to remember");
        }
        if (const json& leaving = gateway.at("lease").at("leaving"); !leaving.empty()) {
            add_of(gateway, Health::degraded,
                   fmt::format("{} is no longer in corosync.conf, and votes until the holder of "
                               "the lease has changed the voters: vpnhad has to run there until "
                               "then; if it cannot, put the node back into corosync.conf, or, of "
                               "two voters, confirm its death (vpnha confirm-dead)",
                               names_of(leaving)));
        }
        add_votes(gateway);
        add_witness(gateway);
        add_links(gateway);
        if (const json& ipsec = gateway.at("ipsec");
            ipsec.is_object() && ipsec.at("warning").is_string()) {
            add_of(gateway, Health::degraded,
                   "IPsec on this node: " + ipsec.at("warning").get<std::string>());
        }
        if (gateway.at("standbys").empty()) {
            add_of(gateway, Health::degraded, "no node could take over");
        }
        // Only the promoted node receives its standbys' confirmations.
        if (role == "promoted" && kept < total) {
            add_of(gateway, Health::degraded,
                   fmt::format("{} of {} sessions are not protected{}", total - kept, total,
                               reason_of(sessions)));
        }
        if (role == "promoted" && quarantined > 0) {
            add_of(gateway, Health::degraded,
                   fmt::format("{} records cannot be applied here", quarantined));
        }
        const auto unknown = gateway.at("records").at("unknown").get<std::uint64_t>();
        if (unknown > 0) {
            add_of(gateway, Health::degraded,
                   fmt::format("{} records are of a later release: this node keeps them and cannot "
                               "apply them; upgrade it",
                               unknown));
        }
    }

    void add_devices() {
        for (const json& device : status_.value("devices", json::array())) {
            const auto state = device.at("state").get<std::string>();
            const auto interface = printable(device.at("interface").get<std::string>());
            const auto reason = printable(device.at("reason").get<std::string>());
            if (state == "barred") {
                add(Health::degraded,
                    fmt::format("device {} cannot have the gate, and carries no gateway: what "
                                "comes there to the gateways' addresses, or leaves from them, is "
                                "dropped: {}",
                                interface, reason));
            } else if (state == "port") {
                add(Health::degraded,
                    fmt::format("device {} could not have the gate when it leaves its bridge or "
                                "bond: {}",
                                interface, reason));
            } else {
                add(Health::degraded,
                    fmt::format("the kernel refuses the gate on device {}, and this node does not "
                                "serve without it: {}",
                                interface, reason));
            }
        }
    }

    // The command line adds them, if it can read Pacemaker's configuration.
    void add_constraints() {
        for (const json& constraint : status_.value("constraints", json::array())) {
            add(Health::degraded, constraint.at("text").get<std::string>());
        }
    }

    void add_cluster(const json& status) {
        std::string used;
        for (const json& cause : status_.at("admission").at("causes")) {
            used += (used.empty() ? "" : ", ") + cause.get<std::string>();
        }
        if (!used.empty()) {
            add(Health::degraded,
                fmt::format("this node accepts no new clients: too much of its {} is used; see "
                            "[admission] in vpnha.toml(5)",
                            used));
        }
        const json& strays = status.at("stray_sessions");
        if (const auto count = strays.at("count").get<std::uint64_t>(); count != 0) {
            add(Health::degraded,
                fmt::format("no gateway keeps {} sessions of this node: {}", count,
                            printable(strays.at("reason").get<std::string>())));
        }
        const json& encryption = status.at("encryption");
        if (!encryption.at("on").get<bool>()) {
            const bool is_allowed = encryption.at("allowed_off").get<bool>();
            add(is_allowed ? Health::degraded : Health::critical,
                (is_allowed ? "sessions are replicated unencrypted: "
                            : "no session is replicated, because corosync sends unencrypted: ") +
                    encryption.at("reason").get<std::string>());
        }
        if (!status.at("quorate").get<bool>()) {
            add(Health::critical, "this side of the cluster has no quorum");
        }
        if (!status.at("real_time").get<bool>()) {
            add(Health::degraded,
                "vpnhad does not run in real time, and a busy node may lose its leases: let it "
                "have "
                "CAP_SYS_NICE, and real time in its control group");
        }
        if (const json& warning = status.at("quorum").at("warning"); warning.is_string()) {
            add(Health::degraded, warning.get<std::string>());
        }
        for (const json& member : status.at("members")) {
            if (!member.at("compatible").get<bool>()) {
                add(Health::degraded,
                    fmt::format("{} speaks no wire version of this node's, and is not relied upon",
                                node_name(status, member.at("id"))));
            }
        }
        for (const json& difference : status.at("differences")) {
            if (difference.at("weight") == "session") {
                const json& gateway = difference.at("gateway");
                add(Health::degraded,
                    fmt::format("{}{} differs from this node in {}",
                                gateway.is_string()
                                    ? fmt::format("gateway {}: ", gateway.get<std::string>())
                                    : "",
                                node_name(status, difference.at("node")),
                                difference.at("item").get<std::string>()));
            }
        }
    }

    [[nodiscard]] std::vector<Finding> worst_first() {
        std::stable_sort(list_.begin(), list_.end(),
                         [](const Finding& a, const Finding& b) { return a.health > b.health; });
        return std::move(list_);
    }

  private:
    void add_of(const json& gateway, Health health, const std::string& text) {
        add(health, fmt::format("gateway {}: {}", gateway.at("name").get<std::string>(), text));
    }

    const json& status_;
    std::vector<Finding> list_;
};

}  // namespace

std::vector<Finding> findings_of(const json& status) {
    Findings findings(status);
    if (const json& restarts = status.at("restarts"); restarts.at("votes_only").get<bool>()) {
        // It takes no part in the group, and receives nothing of its messages.
        findings.add(Health::degraded,
                     fmt::format("vpnhad only votes on this node, and could not take over: it died "
                                 "several times one after the other, last of {}; its log has more",
                                 restarts.at("death").get<std::string>()));
        return findings.worst_first();
    }
    findings.add_cluster(status);
    findings.add_devices();
    findings.add_constraints();
    for (const json& gateway : status.at("gateways")) {
        findings.add_gateway(gateway);
    }
    return findings.worst_first();
}

Health health_of(const std::vector<Finding>& findings) {
    return findings.empty() ? Health::ok : findings.front().health;
}

std::string nodes_to_ask(const json& status) {
    std::vector<std::string> names;
    for (const json& gateway : status.at("gateways")) {
        if (gateway.at("role") != "promoted" && gateway.at("role") != "standing-in") {
            std::string name = node_name(status, gateway.at("promoted_node"));
            if (std::find(names.begin(), names.end(), name) == names.end()) {
                names.push_back(std::move(name));
            }
        }
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string standing_in_of(const json& status, const json& gateway) {
    return fmt::format("for {}, since {} s; not yet promoted by Pacemaker",
                       node_name(status, gateway.at("standing_in_for")),
                       gateway.at("standing_in_ms").get<std::int64_t>() / 1000);
}

std::string witness_line(const json& status) {
    for (const json& gateway : status.at("gateways")) {
        const json& witness = gateway.at("lease").at("witness");
        if (witness.is_null()) {
            continue;
        }
        const json& received = witness.at("received_ms");
        const json& round_trip = witness.at("round_trip_ms");
        // The witness's state is the same for all gateways.
        return fmt::format(
            "Witness {}: {}{}.\n", printable(witness.at("name").get<std::string>()),
            received.is_null()
                ? "no answer yet"
                : fmt::format("answered {:.1f} s ago", received.get<double>() / 1000),
            round_trip.is_null() ? "" : fmt::format(", {:.1f} ms", round_trip.get<double>()));
    }
    return {};
}

std::string member_name(const json& status, const json& id) {
    for (const json& member : status.at("members")) {
        if (member.at("id") == id && member.at("name").is_string()) {
            return member.at("name").get<std::string>();
        }
    }
    return {};
}

std::string node_name(const json& status, const json& id) {
    if (!id.is_number()) {
        return "none";
    }
    if (id == kWitnessId) {
        return "the witness";
    }
    const auto number = id.get<std::uint64_t>();
    const std::string name = member_name(status, id);
    return name.empty() ? fmt::format("node {}", number) : fmt::format("{} ({})", name, number);
}

}  // namespace vpnha::cli
