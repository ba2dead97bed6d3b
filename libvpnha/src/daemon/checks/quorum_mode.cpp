// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/quorum_mode.hpp"

#include <fmt/format.h>

#include "cluster/lease/voters.hpp"
#include "host/corosync/cluster_nodes.hpp"
#include "host/os/log.hpp"

namespace vpnha::runtime {

namespace {

std::string warning_of(const adapters::QuorumKeys& keys, std::size_t voters) {
    if (voters > lease::kVotersMax) {
        return too_many_voters(voters);
    }
    if (voters == 1) {
        return "there is one node, and nobody to take over";
    }
    if (voters == 2 && keys.device.empty() && !keys.two_node) {
        return "of two nodes without two_node: 1 in corosync.conf the one that is left has no "
               "quorum, and serves nobody; a third node, or a witness beside two_node, is better";
    }
    if (keys.two_node && !keys.wait_for_all) {
        return "without wait_for_all a node that starts alone fences the other one, which may be "
               "serving; leave wait_for_all out of corosync.conf, two_node implies it";
    }
    if (keys.last_man_standing) {
        return "last_man_standing lowers Corosync's expected votes, and no lease: a majority of "
               "the configured nodes is needed all the same";
    }
    if (keys.auto_tie_breaker && voters % 2 == 0) {
        return "the half that wins Corosync's tie is no majority of the voters: after an even "
               "split nobody serves; have an odd number of nodes";
    }
    return {};
}

}  // namespace

QuorumMode quorum_mode_of(const adapters::QuorumKeys& keys, std::size_t nodes,
                          const config::Witness& witness) {
    QuorumMode mode;
    const bool has_witness = !witness.addresses.empty();
    const std::size_t voters = nodes + (has_witness ? 1 : 0);
    mode.name = fmt::format("{} voter{}{}{}", voters, voters == 1 ? "" : "s",
                            has_witness ? fmt::format(", one the witness {}", witness.name) : "",
                            keys.device.empty() ? "" : " and a quorum device");
    const std::size_t majority = voters / 2 + 1;
    if (voters > lease::kVotersMax) {
        mode.name = fmt::format("{} nodes, more than a lease can have voters", voters);
        mode.after_loss = "a majority of the voters from before is needed";
    } else if (voters == 1) {
        mode.after_loss = "nothing can take over";
    } else if (voters == 2) {
        mode.after_loss = "power fencing of the lost node has to be confirmed";
    } else {
        const std::size_t losses = voters - majority;
        mode.after_loss = losses == 1 ? "nothing is needed; a second loss silences the gateways"
                                      : fmt::format("nothing is needed, up to {} losses", losses);
    }
    mode.warning = warning_of(keys, nodes);
    return mode;
}

VotersCheck check_voters(const adapters::QuorumKeys& keys,
                         const std::vector<adapters::ClusterNode>& nodes,
                         const config::Witness& witness) {
    if (const auto voters = voters_of(nodes, witness); !voters) {
        return {.is_error = true, .is_warning = false, .text = voters.error().detail};
    }
    const QuorumMode mode = quorum_mode_of(keys, nodes.size(), witness);
    if (!mode.warning.empty()) {
        return {.is_error = false, .is_warning = true, .text = mode.warning};
    }
    return {.is_error = false,
            .is_warning = false,
            .text = fmt::format("{}; after the loss of one {}", mode.name, mode.after_loss)};
}

QuorumMode quorum_mode_of(const adapters::ClusterMap& map, const config::Witness& witness) {
    return quorum_mode_of(map.quorum(), map.nodes().size(), witness);
}

void log_quorum_mode(const adapters::ClusterMap& map, const config::Witness& witness) {
    const QuorumMode mode = quorum_mode_of(map, witness);
    adapters::write_log(LogLevel::info, fmt::format("{}; after the loss of one {} event=quorum",
                                                    mode.name, mode.after_loss));
    if (!mode.warning.empty()) {
        adapters::write_log(LogLevel::warning, mode.warning + " event=quorum");
    }
}

}  // namespace vpnha::runtime
