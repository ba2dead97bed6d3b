// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/model/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>

namespace vpnha::conntrack {

namespace {

using Severity = Finding::Severity;

// A full table has eight entries per bucket then, because each flow is in two; the kernel's default
// is two entries.
constexpr std::uint64_t kFlowsPerBucketMax = 4;

constexpr const char* kEvents = "net.netfilter.nf_conntrack_events";
constexpr const char* kAtBoot = "/etc/modules-load.d/vpnha.conf";
constexpr const char* kNotHere = "or set replicate = false in each [gateway.NAME.conntrack]";

std::optional<Finding> check_events(const Settings& settings) {
    if (!settings.events && settings.ctnetlink == Settings::Ctnetlink::unknown) {
        return Finding{Severity::warning, kEvents, "not there yet",
                       fmt::format("load nf_conntrack_netlink at boot, by a line in {}", kAtBoot),
                       "without the module sysctl.d sets none of its values"};
    }
    if (!settings.events) {
        return Finding{Severity::error, kEvents, "not there",
                       fmt::format("boot a kernel with CONFIG_NF_CONNTRACK_EVENTS, {}", kNotHere),
                       "this one sends no events of its flows"};
    }
    if (*settings.events == 0) {
        return Finding{Severity::error, kEvents, "0", "set it to 1",
                       "the kernel sends no events of its flows"};
    }
    if (*settings.events != 1) {
        return Finding{Severity::error, kEvents, std::to_string(*settings.events), "set it to 1",
                       "the kernel sends no event of a flow that was made while nobody listened, "
                       "and so of none that a standby holds when it is promoted"};
    }
    return std::nullopt;
}

// The required size of the table: every node has the flows of all gateways, as the promoted node or
// as a standby, and their number may double.
std::uint64_t flows_min(const Settings& settings) {
    return std::max(kFlowsMin, 2 * std::uint64_t{settings.count.value_or(0)});
}

// The size of the table once nf_conntrack_max is sufficient.
std::uint64_t flows_max(const Settings& settings) {
    const std::uint64_t max = settings.max.value_or(0);
    return max >= flows_min(settings) ? max : std::bit_ceil(flows_min(settings));
}

std::optional<Finding> check_max(const Settings& settings) {
    if (settings.max.value_or(0) == 0 || *settings.max >= flows_min(settings)) {
        return std::nullopt;
    }
    return Finding{Severity::warning, "net.netfilter.nf_conntrack_max",
                   std::to_string(*settings.max), fmt::format("set it to {}", flows_max(settings)),
                   fmt::format("the flows of all gateways are in every node's table ({} now), and "
                               "a full one takes neither new flows nor those of other nodes",
                               settings.count.value_or(0))};
}

std::optional<Finding> check_buckets(const Settings& settings) {
    const std::uint64_t buckets = settings.buckets.value_or(0);
    const std::uint64_t flows = flows_max(settings);
    if (buckets == 0 || kFlowsPerBucketMax * buckets >= flows) {
        return std::nullopt;
    }
    return Finding{Severity::warning, "net.netfilter.nf_conntrack_buckets", std::to_string(buckets),
                   fmt::format("set it to {}", flows),
                   fmt::format("in a table with {} flows each packet is looked up among {} "
                               "entries, among 2 with as many buckets",
                               flows, 2 * flows / buckets)};
}

std::optional<Finding> check_conntrackd(const Settings& settings) {
    if (!settings.conntrackd) {
        return std::nullopt;
    }
    return Finding{Severity::warning, "conntrackd",
                   fmt::format("running (pid {})", *settings.conntrackd),
                   fmt::format("stop it (systemctl disable --now conntrackd), {}", kNotHere),
                   "each takes what the other installs for flows of this node, and replicates it "
                   "again"};
}

// A rule that gives a helper to a flow loads the helper, but not its NAT module
// (nft_ct_helper_obj_init() in net/netfilter/nft_ct.c). Modules that are built in are not detected.
std::vector<Finding> check_nat_of_helpers(const Settings& settings) {
    std::vector<Finding> findings;
    for (const char* helper : {"ftp", "pptp", "sip"}) {
        const std::string tracks = fmt::format("nf_conntrack_{}", helper);
        const std::string translates = fmt::format("nf_nat_{}", helper);
        if (settings.modules.contains("nf_nat") && settings.modules.contains(tracks) &&
            !settings.modules.contains(translates)) {
            findings.push_back({Severity::warning, translates, "not loaded",
                                fmt::format("load it, also at boot, by a line in {}", kAtBoot),
                                fmt::format("{} is, and alone it leaves the client's own addresses "
                                            "and numbers in what it tracks through NAT",
                                            tracks)});
        }
    }
    return findings;
}

}  // namespace

std::vector<Finding> check(const Settings& settings) {
    if (settings.ctnetlink == Settings::Ctnetlink::missing) {
        return {{Severity::error, "ctnetlink", "not in this kernel",
                 fmt::format("load the module nf_conntrack_netlink (CONFIG_NF_CT_NETLINK), {}",
                             kNotHere),
                 "without it flows can be neither read nor installed"}};
    }
    std::vector<Finding> findings;
    for (const auto& each : {check_events(settings), check_max(settings), check_buckets(settings),
                             check_conntrackd(settings)}) {
        if (each) {
            findings.push_back(*each);
        }
    }
    std::ranges::move(check_nat_of_helpers(settings), std::back_inserter(findings));
    return findings;
}

std::string to_string(const Finding& finding) {
    return fmt::format("{} is {}; {}: {}", finding.what, finding.now, finding.remedy, finding.why);
}

}  // namespace vpnha::conntrack
