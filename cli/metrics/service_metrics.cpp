// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/service_metrics.hpp"

namespace vpnha::cli {

// clang-format off
// Accounting by RADIUS, on the node that serves.
Metrics of_accounting() {
    return {
        {"vpnha_accounting_sessions", kGauge, "Living sessions that this node accounts for.",
         of_gateways("/accounting/sessions")},
        {"vpnha_accounting_waiting", kGauge,
         "Starts and Stops that no accounting server has answered.",
         of_gateways("/accounting/waiting")},
        {"vpnha_accounting_oldest_seconds", kGauge,
         "Time since the event that the oldest of them reports.",
         of_gateways("/accounting/oldest_s")},
        {"vpnha_accounting_silent", kGauge,
         "Whether no accounting server answered the last request.",
         of_gateways("/accounting/silent")},
        {"vpnha_accounting_requests_total", kCounter,
         "Accounting-Requests of this node; failed: answered with something else.",
         split_of_gateways({"result", {{"answered", "/accounting/answered"},
                                       {"silent", "/accounting/unanswered"},
                                       {"failed", "/accounting/failed"}}})},
        {"vpnha_accounting_dropped_total", kCounter,
         "Ended sessions whose Stop was given up for a newer one's.",
         of_gateways("/accounting/dropped")},
        {"vpnha_accounting_response_seconds", kHistogram,
         "How long the accounting server that answered took, since it was asked last.",
         histogram_of_gateways({"/accounting/took_by_ms", "/accounting/took",
                                "/accounting/took_sum_ms"})},
    };
}

// Requests of RADIUS servers; of the node.
Metrics of_authorization() {
    return {
        {"vpnha_authorization_requests_total", kCounter,
         "Requests of RADIUS servers that this node answered; repeated: as before.",
         split_of_node({"kind", {{"disconnect", "/dynamic_authorization/disconnects"},
                                 {"change", "/dynamic_authorization/changes"},
                                 {"repeated", "/dynamic_authorization/repeated"}}})},
        {"vpnha_authorization_acks_total", kCounter,
         "Those of them of which this node did what they wanted.",
         of_node("/dynamic_authorization/acks")},
        {"vpnha_authorization_naks_total", kCounter,
         "Those of them that this node refused, by Error-Cause.",
         split_of_node({"cause", {
             {"401", "/dynamic_authorization/naks/unsupported_attribute"},
             {"402", "/dynamic_authorization/naks/missing_attribute"},
             {"403", "/dynamic_authorization/naks/nas_mismatch"},
             {"404", "/dynamic_authorization/naks/invalid_request"},
             {"405", "/dynamic_authorization/naks/unsupported_service"},
             {"407", "/dynamic_authorization/naks/invalid_value"},
             {"503", "/dynamic_authorization/naks/session_not_found"},
             {"504", "/dynamic_authorization/naks/session_not_removable"},
             {"506", "/dynamic_authorization/naks/resources_unavailable"},
             {"508", "/dynamic_authorization/naks/several_sessions"}}})},
        {"vpnha_authorization_dropped_total", kCounter,
         "Requests of RADIUS servers that were ignored.",
         split_of_node({"reason", {{"stranger", "/dynamic_authorization/strangers"},
                                   {"malformed", "/dynamic_authorization/malformed"},
                                   {"unsigned", "/dynamic_authorization/unsigned"},
                                   {"forged", "/dynamic_authorization/forged"},
                                   {"stale", "/dynamic_authorization/stale"}}})},
    };
}

// pppd's scripts of resumed sessions; of the node.
Metrics of_scripts() {
    return {
        {"vpnha_scripts_total", kCounter,
         "pppd's scripts that this node ran for resumed sessions, by their end.",
         split_of_node({"result", {{"done", "/scripts/done"},
                                   {"failed", "/scripts/failed"},
                                   {"killed", "/scripts/killed"}}})},
        {"vpnha_scripts_waiting", kGauge, "Resumed sessions whose next script has not begun.",
         of_node("/scripts/waiting")},
        {"vpnha_scripts_dropped_total", kCounter,
         "Resumed sessions whose scripts were left out, because too many waited.",
         of_node("/scripts/dropped")},
    };
}

// Rates of sessions; of the node.
Metrics of_bandwidth() {
    return {
        {"vpnha_sessions_limited", kGauge, "Sessions whose device on this node has a rate.",
         of_node("/bandwidth/limited")},
        {"vpnha_rate_failures_total", kCounter,
         "Rates of sessions that this node's kernel has refused.", of_node("/bandwidth/failed")},
    };
}

// Flows of connection tracking.
Metrics of_flows() {
    return {
        {"vpnha_flows_replicated", kGauge, "Whether flows are replicated.",
         of_gateways("/conntrack/replicated")},
        {"vpnha_flows", kGauge, "Flows among the records of this replica.",
         of_gateways("/conntrack/flows")},
        {"vpnha_flows_max", kGauge,
         "The most flows there may be.", of_gateways("/conntrack/flows_max")},
        {"vpnha_flow_expectations", kGauge, "Connections that helpers expect.",
         of_gateways("/conntrack/expectations")},
        {"vpnha_flows_installed", kGauge, "Flows that this node, as a standby, has in its kernel.",
         of_gateways("/conntrack/installed")},
        {"vpnha_flows_waiting", kGauge,
         "Flows to be installed, removed or changed in this node's kernel.",
         of_gateways("/conntrack/waiting")},
        {"vpnha_flows_held_back", kGauge, "Flows not yet worth a record, or about to end.",
         of_gateways("/conntrack/held_back")},
        {"vpnha_flow_overruns_total", kCounter,
         "Times at which the kernel had more news than its buffer takes.",
         of_gateways("/conntrack/overruns")},
        {"vpnha_flow_listings_total", kCounter, "Listings of the kernel's table.",
         of_gateways("/conntrack/listings")},
        {"vpnha_flows_over_limit_total", kCounter,
         "Flows not replicated, because there are as many as there may be.",
         of_gateways("/conntrack/over_limit")},
        {"vpnha_flows_refused_total", kCounter, "Installations of flows that this kernel refused.",
         of_gateways("/conntrack/refused")},
        {"vpnha_flows_missing_total", kCounter,
         "Flows that another program removed from this standby's kernel; installed again.",
         of_gateways("/conntrack/missing")},
        {"vpnha_flows_stale_total", kCounter, "Flows left by an earlier vpnhad; removed.",
         of_gateways("/conntrack/stale")},
        {"vpnha_flow_collisions_total", kCounter, "Flows of this node's own that gave way.",
         of_node("/counters/flow_collisions")},
        {"vpnha_flows_without_helper_total", kCounter,
         "Flows installed without their helper, which this kernel does not have.",
         of_node("/counters/flow_without_helper")},
        {"vpnha_flows_without_parent_total", kCounter,
         "Flows installed without the one that announced them.",
         of_node("/counters/flow_without_parent")},
    };
}
// clang-format on

}  // namespace vpnha::cli
