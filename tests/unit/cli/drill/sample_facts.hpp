// SPDX-License-Identifier: GPL-2.0-or-later
// A healthy cluster of gw1, which serves dialin, gw2 and gw3, as gw1 or another node sees it.
#pragma once

#include "cli/drill/facts.hpp"
#include "unit/cli/sample.hpp"

namespace vpnha::cli::drill {

inline Facts sample_facts() {
    Facts facts;
    facts.status = sample_status();
    facts.cluster = ClusterState{.nodes = {{.name = "gw1"}, {.name = "gw2"}, {.name = "gw3"}},
                                 .fencing_enabled = true,
                                 .has_fencing = true};
    facts.stonith_action = "off";
    facts.is_probed = true;
    facts.service_runs = true;
    facts.links = {{"10.77.1.1", "10.77.1.2"}, {"10.77.2.1", "10.77.2.2"}};
    facts.outside = {.name = "eth1", .addresses = {"192.0.2.11"}, .keeps_addresses = "0"};
    facts.lease_port = 5420;
    facts.token_ms = 650;
    facts.program = "/usr/sbin/vpnha";
    return facts;
}

// The same as gw2 sees it.
inline Facts sample_facts_of_standby() {
    Facts facts = sample_facts();
    facts.status["node"] = {{"id", 2}, {"name", "gw2"}};
    facts.status["gateways"][0]["role"] = "unpromoted";
    facts.status["gateways"][0]["gate"] = "shut";
    return facts;
}

}  // namespace vpnha::cli::drill
