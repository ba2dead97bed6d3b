// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/metrics/service_metrics.hpp"
#include "vpnha/metrics.hpp"

namespace vpnha::cli {

namespace {

// Seconds, octets and counts in base units, `_total` for what only rises while vpnhad runs. No
// label names a user, a session or a client. Metrics of the cluster's own exporter are not
// repeated.
// clang-format off
// The node.
Metrics of_the_node() {
    return {
        {"vpnha_up", kGauge, "Whether vpnhad answered.",
         {"", "whether there was an answer",
          [](const Answers& answers) -> std::vector<Sample> {
              return {{{}, answers.status.is_null() ? 0.0 : 1.0}};
          }}},
        {"vpnha_build_info", kGauge, "Versions of vpnhad and of its group protocol.",
         build_info()},
        {"vpnha_restarts_total", kCounter,
         "How often vpnhad was started again because one had died, since keep-vpnhad runs.",
         of_node("/restarts/count")},
        {"vpnha_votes_only", kGauge,
         "Whether vpnhad only votes here, because it died several times one after the other.",
         of_node("/restarts/votes_only")},
        {"vpnha_admission_closed", kGauge,
         "Whether this node accepts no new clients, because too much of it is used.",
         of_node("/admission/closed")},
        {"vpnha_admission_closures_total", kCounter, "How often it stopped accepting them.",
         of_node("/admission/closures")},
        {"vpnha_stray_sessions", kGauge,
         "Sessions of this node's pppds that no gateway keeps: they end with this node.",
         of_node("/stray_sessions/count")},
        {"vpnha_pppds", kGauge, "Processes of pppd: of sessions that were not resumed.",
         pppds([](const PppdUse& use) { return static_cast<double>(use.processes); })},
        {"vpnha_pppd_memory_bytes", kGauge,
         "Their resident memory; what they share counts in each.",
         pppds([](const PppdUse& use) { return static_cast<double>(use.memory_bytes); })},
        {"vpnha_pppd_cpu_seconds_total", kCounter,
         "Processor time of xl2tpd, pptpd and all pppds, since the daemons run.",
         pppds([](const PppdUse& use) { return use.processor_s; })},
        {"vpnha_quorate", kGauge, "Whether this node's side of the cluster has the quorum.",
         of_node("/quorate")},
        {"vpnha_real_time", kGauge, "Whether vpnhad runs in real time, as its leases need.",
         of_node("/real_time")},
        {"vpnha_encrypted", kGauge, "Whether Corosync encrypts what is replicated.",
         of_node("/encryption/on")},
        {"vpnha_members", kGauge, "Nodes on which vpnhad runs, this one among them.",
         of_node("/members")},
        {"vpnha_members_incompatible", kGauge,
         "Nodes on which vpnhad runs and that share no wire version.",
         incompatible_members()},
        {"vpnha_differences", kGauge, "Items in which other nodes' set-ups differ from this one's.",
         differences()},
        {"vpnha_group_messages_dropped_total", kCounter,
         "Messages of other nodes that were ignored.",
         split_of_node({"reason", {{"malformed", "/counters/messages_malformed"},
                                   {"unsupported", "/counters/messages_unsupported"},
                                   {"ignored", "/counters/messages_ignored"}}})},
        {"vpnha_log_lines_dropped_total", kCounter,
         "Lines of vpnhad's log that were not written, because its file blocked.",
         of_node("/counters/log_lines_dropped")},
        {"vpnha_plugin_messages_dropped_total", kCounter,
         "Messages of pppd's plugin that were ignored.",
         split_of_node({"reason", {{"malformed", "/counters/plugin_malformed"},
                                   {"unknown_gateway", "/counters/unknown_gateway"}}})},
        {"vpnha_control_messages_malformed_total", kCounter,
         "Requests at the control socket that did not parse.",
         of_node("/counters/control_malformed")},
        {"vpnha_lease_datagrams_sent_total", kCounter, "Datagrams of the lease, sent.",
         of_node("/counters/lease_sent")},
        {"vpnha_lease_datagrams_unsent_total", kCounter,
         "Lease datagrams that could not be sent on any link.",
         of_node("/counters/lease_unsent")},
        {"vpnha_lease_datagrams_received_total", kCounter, "Datagrams of the lease, received.",
         of_node("/counters/lease_received")},
        {"vpnha_lease_datagrams_dropped_total", kCounter,
         "Datagrams of the lease; replayed: second copies by another link among them; unproven: "
         "the first ones of each start of another vpnhad; stranger: from an address of no other "
         "node in corosync.conf.",
         split_of_node({"reason", {{"stranger", "/counters/lease_strangers"},
                                   {"forged", "/counters/lease_forged"},
                                   {"malformed", "/counters/lease_malformed"},
                                   {"replayed", "/counters/lease_replayed"},
                                   {"unproven", "/counters/lease_unproven"}}})},
    };
}

// Its part in each gateway.
Metrics of_the_part() {
    return {
        {"vpnha_role", kGauge, "1 for this node's role.",
         states_of_gateways(
             {"role",
              "/role",
              {"promoted", "standing-in", "draining", "unpromoted", "stopped", "detached"}})},
        {"vpnha_role_since_timestamp_seconds", kGauge, "Unix time since which it has that role.",
         seconds_of_gateways("/role_since_unix_ms")},
        {"vpnha_takeovers_total", kCounter,
         "Times at which this node came to serve, and its gate was opened.",
         of_gateways("/counters/takeovers")},
        {"vpnha_last_takeover_timestamp_seconds", kGauge,
         "Unix time at which its gate was opened last; none: not since vpnhad started.",
         seconds_of_gateways("/last_takeover/unix_ms")},
        {"vpnha_last_takeover_silence_seconds", kGauge,
         "From the last message of the former holder that this node received, until then.",
         seconds_of_gateways("/last_takeover/silence_ms")},
        {"vpnha_last_takeover_phase_seconds", kGauge,
         "What each step of it took; those behind open_gate keep no client waiting.",
         takeover_phases()},
        {"vpnha_gateway_standing_in", kGauge,
         "Whether this node serves in another one's place, and Pacemaker has not promoted it.",
         of_gateways("/standing_in")},
        {"vpnha_promoted_known", kGauge, "Whether a node is known to be promoted.",
         promoted_known()},
        {"vpnha_epoch", kGauge, "Number of the epoch; it only rises.", epoch_of_gateways("/epoch")},
        {"vpnha_replica_level", kGauge, "1 for the level of this node's replica.",
         states_of_gateways({"level", "/replica", {"complete", "partial", "empty"}})},
        {"vpnha_standing", kGauge,
         "1 for the replica's level, lowered by what would lose sessions or service here.",
         states_of_gateways({"level", "/standing", {"complete", "partial", "empty"}})},
        {"vpnha_blockers", kGauge, "Reasons why this node could not resume everything.",
         of_gateways("/blockers")},
        {"vpnha_clock_difference_seconds", kGauge,
         "By how much this node's clock is ahead of the promoted node's.",
         of_gateways("/clock_difference_s")},
        {"vpnha_promotion_score", kGauge, "The score that Pacemaker was given.",
         of_gateways("/score")},
        {"vpnha_standbys", kGauge, "Nodes that hold a complete replica and could take over.",
         of_gateways("/standbys")},
        {"vpnha_sessions", kGauge, "Sessions, each in one state.", session_states()},
        {"vpnha_sessions_lost_total", kCounter,
         "Sessions that were not resumed at a promotion, because this kernel did not have them.",
         of_gateways("/counters/sessions_lost")},
        {"vpnha_sessions_gone_total", kCounter,
         "Sessions that another program removed from this kernel.",
         of_gateways("/counters/sessions_gone")},
        {"vpnha_confirm_timeouts_total", kCounter,
         "pppds that continued before a standby had confirmed their session.",
         of_gateways("/counters/confirm_timeouts")},
    };
}

// Its replica.
Metrics of_the_replica() {
    return {
        {"vpnha_records", kGauge, "Records of this node's replica, without flows.",
         of_gateways("/records/count")},
        {"vpnha_records_max", kGauge,
         "The most records there may be.", of_gateways("/records/count_max")},
        {"vpnha_records_unsent", kGauge, "Changes not yet sent to the group.",
         of_gateways("/records/unsent")},
        {"vpnha_replication_lag_seconds", kGauge,
         "Age of the oldest change that a standby in sync has not confirmed; none: there is no "
         "such standby, or this node is not promoted.",
         seconds_of_gateways("/records/lag_ms")},
        {"vpnha_records_installing", kGauge, "Records that this node's kernel was asked to take.",
         of_gateways("/records/installing")},
        {"vpnha_records_waiting", kGauge,
         "Records to be asked of this node's kernel, whose turn has not come.",
         of_gateways("/records/waiting_installs")},
        {"vpnha_records_quarantined", kGauge, "Records that this node cannot apply.",
         of_gateways("/records/quarantined")},
        {"vpnha_records_unknown", kGauge,
         "Records of a later release: kept and passed on, not applied.",
         of_gateways("/records/unknown")},
        {"vpnha_tombstones", kGauge, "Erased records remembered for nodes that missed it.",
         of_gateways("/records/tombstones")},
        {"vpnha_tombstones_max", kGauge, "The most erased records remembered.",
         of_gateways("/records/tombstones_max")},
        {"vpnha_replica_memory_bytes", kGauge, "Memory of all records, an estimate.",
         of_gateways("/records/memory_bytes")},
        {"vpnha_replica_memory_max_bytes", kGauge,
         "The most that the memory of all records can become.",
         of_gateways("/records/memory_bytes_max")},
        {"vpnha_replica_resyncs_total", kCounter, "Snapshots asked for.",
         of_gateways("/counters/replica_resyncs")},
        {"vpnha_replica_snapshots_sent_total", kCounter, "Snapshots given.",
         of_gateways("/counters/replica_snapshots_sent")},
        {"vpnha_replica_gaps_total", kCounter, "Updates that did not follow the last one.",
         of_gateways("/counters/replica_gaps")},
        {"vpnha_replica_digest_mismatches_total", kCounter,
         "Digests and ends of snapshots that did not match.",
         of_gateways("/counters/replica_digest_mismatch")},
        {"vpnha_replica_messages_dropped_total", kCounter,
         "Messages on this gateway that were ignored.",
         split_of_gateways({"reason", {{"stale_epoch", "/counters/replica_stale_epoch"},
                                       {"implausible_epoch", "/counters/replica_implausible_epoch"},
                                       {"malformed", "/counters/replica_malformed"}}})},
        {"vpnha_replica_records_refused_total", kCounter,
         "Records not applied; over_limit: beyond their bound; unreadable: of another release.",
         split_of_gateways({"reason", {{"over_limit", "/counters/replica_over_limit"},
                                       {"unreadable", "/counters/replica_unreadable"},
                                       {"kernel", "/counters/replica_refused"}}})},
        {"vpnha_replica_records_discarded_total", kCounter,
         "Records of a lost partition, given up for the promoted node's.",
         of_gateways("/counters/replica_discarded")},
        {"vpnha_replica_sessions_lost_total", kCounter,
         "Sessions removed because a node without them was promoted; each is named in the log.",
         of_gateways("/counters/replica_sessions_lost")},
    };
}

// Addresses that vpnhad gives.
Metrics of_addresses() {
    return {
        {"vpnha_pool_addresses", kGauge, "Addresses of the common pool; 0: there is none.",
         of_gateways("/addresses/pool")},
        {"vpnha_pool_addresses_used", kGauge, "Addresses that clients have, or had just now.",
         split_of_gateways({"state", {{"in_use", "/addresses/in_use"},
                                      {"held", "/addresses/held"}}})},
        {"vpnha_pool_refused_total", kCounter,
         "Dials that this node refused; no_address: all were in use; the others by sessions_max, "
         "and the client's own limit.",
         split_of_gateways({"reason", {{"no_address", "/addresses/refused"},
                                       {"gateway_limit", "/addresses/over_limit"},
                                       {"own_limit", "/addresses/over_own_limit"}}})},
        {"vpnha_pool_clashes_total", kCounter,
         "Sessions that this node ended, because their address was another session's.",
         of_gateways("/addresses/clashes")},
    };
}

// Who may send.
Metrics of_the_lease() {
    return {
        {"vpnha_lease_phase", kGauge, "1 for the phase of this node's lease.",
         states_of_gateways(
             {"phase", "/lease/phase", {"idle", "claiming", "holding", "draining"}})},
        {"vpnha_lease_remaining_seconds", kGauge,
         "How long this node may still send if no voter answers any more.",
         seconds_of_gateways("/lease/left_ms")},
        {"vpnha_lease_granted_epoch", kGauge, "Number of the highest epoch this voter granted.",
         epoch_of_gateways("/lease/granted")},
        {"vpnha_lease_voters", kGauge, "Nodes of which a majority has to answer.",
         of_gateways("/lease/voters")},
        {"vpnha_lease_remembers", kGauge,
         "0: this node has no memory of the lease, and votes on nothing but a first grant.",
         of_gateways("/lease/remembers")},
        {"vpnha_lease_awaited", kGauge,
         "Whether this node, which has no memory, waits for what that node remembers.",
         nodes_of_gateways("/lease/awaited")},
        {"vpnha_lease_differing", kGauge,
         "Whether that node goes by other voters, of which neither list is newer.",
         nodes_of_gateways("/lease/differing")},
        {"vpnha_lease_vote", kGauge,
         "Whether that voter's vote counts here: it answers this node's rounds, or sends to it.",
         votes()},
        {"vpnha_lease_round_lateness_seconds", kHistogram,
         "How late the rounds of this node's lease began.",
         histogram_of_gateways({"/lease/rounds/late_by_ms", "/lease/rounds/late",
                                "/lease/rounds/late_sum_ms"})},
        {"vpnha_lease_round_lateness_worst_seconds", kGauge, "The latest round of the last day.",
         seconds_of_gateways("/lease/rounds/worst_of_day_ms")},
        {"vpnha_lease_slack_seconds", kGauge,
         "A round that is later than this costs the lease.",
         seconds_of_gateways("/lease/rounds/slack_ms")},
        {"vpnha_lease_duration_seconds", kGauge,
         "For how long this node may send after a majority's answer, when it serves.",
         seconds_of_gateways("/lease/duration_ms")},
        {"vpnha_lease_needs_seconds", kGauge,
         "How long a lease this node needs; none: the lease does not size itself.",
         seconds_of_gateways("/lease/sizing/needs_ms")},
        {"vpnha_lease_reserve", kGauge,
         "Votes that may be lost before no majority is left; negative: there is none.",
         of_gateways("/lease/reserve")},
        {"vpnha_lease_saves", kGauge,
         "Whether the disk takes what the lease must remember; 0: this node does not vote.",
         of_gateways("/lease/saves")},
        {"vpnha_lease_saves_failed_total", kCounter, "Saves of the lease that failed.",
         of_gateways("/counters/saves_failed")},
        {"vpnha_witness_answers", kGauge,
         "Whether the witness has answered in the last 3 s; none: there is no witness.",
         of_gateways("/lease/witness/answers")},
        {"vpnha_witness_round_trip_seconds", kGauge,
         "From this node's newest Hello to the witness's answer.",
         seconds_of_gateways("/lease/witness/round_trip_ms")},
        {"vpnha_witness_two", kGauge,
         "Whether two witnesses answer with the same key, so that neither counts.",
         of_gateways("/lease/witness/two")},
        {"vpnha_witness_differing", kGauge,
         "Whether the nodes' configurations name different witnesses.",
         of_gateways("/lease/witness/differing")},
        {"vpnha_lease_clocks_astray", kGauge,
         "Nodes that serve, or did, whose clock runs at another rate than the lease allows.",
         of_gateways("/lease/clocks_astray")},
        {"vpnha_lease_fenced", kGauge, "Whether this life of the node is fenced.",
         of_gateways("/lease/fenced")},
        {"vpnha_gate_state", kGauge, "1 for the state of the gate; expired: it was not renewed.",
         gate_states()},
        {"vpnha_gate_remaining_seconds", kGauge,
         "Until the gate's deadline, negative since; none while it is shut.", gate_seconds()},
        {"vpnha_gate_attached", kGauge,
         "0: this device lets everything pass, or another program runs before the gate; none for "
         "a device that is not there, or is barred.",
         gate_devices()},
        {"vpnha_gate_barred", kGauge,
         "1: this device cannot have the gate and carries no gateway; nftables drops there what is "
         "from or to the gateways' addresses.",
         gate_barred()},
        {"vpnha_gate_drops_total", kCounter,
         "Packets that the gate dropped; standby is a node's that does not serve.", gate_drops()},
        {"vpnha_gate_moved_total", kCounter,
         "Packets of planned moves: sent on to the new node, held by it, or dropped because they "
         "had been sent on already.",
         gate_moved()},
    };
}

// Links, and what resumed sessions meet.
Metrics of_links_and_tunnels() {
    return {
        {"vpnha_link_state", kGauge, "1 for the state of this node's link.", link_states()},
        {"vpnha_links_lost_total", kCounter, "Losses of a link, of either side.",
         of_gateways("/counters/links_lost")},
        {"vpnha_giving_away", kGauge,
         "Whether this promoted node has lowered its score for a standby with better links.",
         of_gateways("/links/giving_away")},
        {"vpnha_given_away_total", kCounter,
         "Times at which it lowered its score for a standby with better links.",
         of_gateways("/counters/given_away")},
        {"vpnha_switchovers_total", kCounter,
         "Times at which this node took the role over because `vpnha switchover` asked it to.",
         of_gateways("/counters/switchovers")},
        {"vpnha_drained", kGauge, "Whether the gateway accepts no new clients: `vpnha drain`.",
         of_gateways("/drained")},
        {"vpnha_service_dead", kGauge,
         "Whether ocf:vpnha:probe has found the service of the gateway dead on this node; none: "
         "it does not ask there, or does not know yet.",
         dead_services()},
        {"vpnha_unanswered_total", kCounter,
         "Times at which it gave the role away because it was granted no lease.",
         of_gateways("/counters/unanswered")},
        {"vpnha_ppp_frames_dropped_total", kCounter,
         "PPP frames of resumed sessions that were ignored.",
         split_of_gateways({"reason", {{"malformed", "/counters/ppp_malformed"},
                                       {"looped", "/counters/ppp_looped"},
                                       {"unexpected", "/counters/ppp_unexpected"}}})},
        {"vpnha_ppp_echoes_sent_total", kCounter,
         "LCP echoes to clients of resumed L2TP sessions, at their interval.",
         of_gateways("/counters/ppp_echoes_sent")},
        {"vpnha_ppp_echoes_answered_total", kCounter,
         "Those of them that were answered before the next one.",
         of_gateways("/counters/ppp_echoes_answered")},
        {"vpnha_ppp_echo_seconds_total", kCounter,
         "Round trips of those, all together.",
         seconds_of_gateways("/counters/ppp_echo_ms")},
        {"vpnha_ppp_rejects_withheld_total", kCounter,
         "Rejects of PPP not sent, beyond so many a second.",
         of_gateways("/counters/ppp_rejects_withheld")},
    };
}
// clang-format on

Metric of_protocol(const MetricRow& row) {
    const MetricType type = row.name.ends_with("_total") ? kCounter : kGauge;
    const std::string& member = row.members.front().second;
    if (!row.states.empty()) {
        return {row.name, type, row.help, states_of_gateways({row.label, member, row.states})};
    }
    if (!row.label.empty()) {
        const auto split = row.is_of_gateway ? &split_of_gateways : &split_of_node;
        return {row.name, type, row.help, split({row.label, row.members})};
    }
    return {row.name, type, row.help, row.is_of_gateway ? of_gateways(member) : of_node(member)};
}

void add_protocols(Metrics& all) {
    static const std::vector<MetricRow> kRows = protocol_metrics();
    auto at = all.end();
    for (const MetricRow& row : kRows) {
        if (!row.after.empty()) {
            at = std::ranges::find(all, row.after, &Metric::name) + 1;
        }
        at = all.insert(at, of_protocol(row)) + 1;
    }
}

const Metrics& metrics() {
    static const Metrics kMetrics = [] {
        Metrics all;
        for (const auto& group : {of_the_node, of_the_part, of_the_replica, of_addresses,
                                  of_accounting, of_authorization, of_scripts, of_bandwidth,
                                  of_flows, of_the_lease, of_links_and_tunnels}) {
            Metrics some = group();
            std::move(some.begin(), some.end(), std::back_inserter(all));
        }
        add_protocols(all);
        return all;
    }();
    return kMetrics;
}

std::string render(const Answers& answers) {
    std::string text;
    for (const Metric& metric : metrics()) {
        text += exposition(metric.name, metric.type, metric.help, metric.source.samples(answers));
    }
    return text;
}

}  // namespace

std::string render_metrics(const Answers& answers) {
    static_cast<void>(answers.status.at("gateways"));
    return render(answers);
}

std::string render_metrics_down() {
    return render({});
}

Rendered ask_metrics(const Ask& ask) {
    try {
        auto status = ask("status", nlohmann::json::object());
        if (!status) {
            return {render_metrics_down(), status.error()};
        }
        auto gate = ask("gate", nlohmann::json::object());
        const bool is_whole = gate.has_value();
        return {render_metrics({std::move(*status), is_whole ? std::move(*gate) : nlohmann::json(),
                                read_pppd_use(), read_probe_marks()}),
                is_whole ? std::nullopt : std::optional(gate.error())};
    } catch (const nlohmann::json::exception& error) {
        return {render_metrics_down(), other_version(error)};
    }
}

std::string metrics_manual() {
    std::string text =
        "| metric | type | labels | what | from |\n"
        "|---|---|---|---|---|\n";
    for (const Metric& metric : metrics()) {
        text += fmt::format("| `{}` | {} | {} | {} | {} |\n", metric.name, to_string(metric.type),
                            metric.source.labels, metric.help, metric.source.members);
    }
    return text;
}

}  // namespace vpnha::cli
