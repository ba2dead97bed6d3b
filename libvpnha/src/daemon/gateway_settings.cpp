// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/gateway_settings.hpp"

#include "host/corosync/cluster_nodes.hpp"
#include "host/lease/lease_links.hpp"
#include "host/lease/new_instance.hpp"

namespace vpnha::runtime {

namespace {

node::LinkSettings link_settings_of(const config::Links& links) {
    node::LinkSettings settings;
    settings.neighbours = {
        std::set(links.outside_neighbours.begin(), links.outside_neighbours.end()),
        std::set(links.inside_neighbours.begin(), links.inside_neighbours.end())};
    settings.probe_interval = links.probe_interval;
    settings.lost_after = links.lost_after;
    settings.give_away_after = links.give_away_after;
    settings.hold_off = links.hold_off;
    return settings;
}

keepers::FlowSettings flow_settings_of(const config::Gateway& gateway) {
    const config::Conntrack& conntrack = gateway.conntrack;
    return {.replicate = conntrack.replicate,
            .policy = {.nets = gateway.flow_nets(),
                       .zones = conntrack.zones,
                       .mark = conntrack.mark,
                       .mark_mask = conntrack.mark_mask,
                       .unassured = conntrack.unassured,
                       .labels = conntrack.labels,
                       .delay = conntrack.delay}};
}

}  // namespace

node::GatewaySettings gateway_settings_of(const config::Gateway& gateway,
                                          const config::Radius& radius) {
    node::GatewaySettings settings;
    settings.id = gateway.id;
    settings.name = gateway.name;
    settings.keepers.protocols = gateway.protocols;
    settings.keepers.redials_per_second = gateway.redials_per_second;
    settings.links = link_settings_of(gateway.links);
    settings.keepers.flows = flow_settings_of(gateway);
    settings.keepers.addresses = {gateway.common_pool, gateway.address_hold, gateway.sessions_max,
                                  gateway.sessions_per_user_max};
    settings.keepers.accounts = {gateway.accounting, radius.interim, radius.requests_per_second,
                                 !radius.interim_is_set};
    settings.keepers.resume_scripts = gateway.resume_scripts;
    settings.keepers.radius_rates = gateway.bandwidth.by_radius;
    settings.stand_in = gateway.stand_in;
    return settings;
}

Result<lease::Setup> lease_setup_of(const config::Config& config,
                                    const std::vector<adapters::ClusterNode>& nodes, NodeId self) {
    lease::Setup setup;
    setup.self.node = self;
    VPNHA_TRY(setup.self.boot, adapters::read_boot_id());
    VPNHA_TRY(setup.self.instance, adapters::new_instance());
    setup.timing = timing_of(config);
    VPNHA_TRY(setup.voters, voters_of(nodes, config.witness));
    return setup;
}

}  // namespace vpnha::runtime
