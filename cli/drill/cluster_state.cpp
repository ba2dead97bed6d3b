// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/cluster_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "host/pacemaker/cib.hpp"

namespace vpnha::cli::drill {

namespace {

using adapters::CibElement;

constexpr std::string_view kYes = "true";

ClusterNode node_of(const CibElement& element) {
    struct Word {
        std::string_view attribute;
        std::string_view wanted;
        std::string_view otherwise;
    };
    static constexpr std::array kWords{
        Word{"online", "true", "offline"},      Word{"pending", "false", "joining"},
        Word{"unclean", "false", "unclean"},    Word{"maintenance", "false", "in maintenance"},
        Word{"standby", "false", "in standby"},
    };
    ClusterNode node{.name = element.attribute("name")};
    for (const Word& word : kWords) {
        const std::string value = element.attribute(word.attribute);
        if (!value.empty() && value != word.wanted) {
            node.amiss = word.otherwise;
            break;
        }
    }
    return node;
}

// OCF_DEGRADED and OCF_DEGRADED_PROMOTED: crm_mon lists them, and Pacemaker counts no failure.
bool is_degraded(const CibElement& failure) {
    const std::string code = failure.attribute("exitcode");
    return code == "190" || code == "191";
}

std::vector<std::string> words_in(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

bool has_pair(const std::vector<std::string>& words, std::string_view key, std::string_view value) {
    const auto found = std::ranges::find(words, key);
    return found != words.end() && std::next(found) != words.end() && *std::next(found) == value;
}

}  // namespace

Result<ClusterState> parse_crm_mon(std::string_view xml) {
    VPNHA_TRY(const adapters::CibElements elements, adapters::elements_of(xml));
    ClusterState state;
    bool in_nodes = false;
    for (const CibElement& each : elements) {
        if (each.name == "nodes") {
            in_nodes = each.is_start;
        } else if (each.starts("node") && in_nodes) {
            state.nodes.push_back(node_of(each));
        } else if (each.starts("cluster_options")) {
            state.fencing_enabled = each.attribute("stonith-enabled") == kYes;
            state.in_maintenance = each.attribute("maintenance-mode") == kYes;
        } else if (each.starts("resource")) {
            const bool is_fencing = each.attribute("resource_agent").starts_with("stonith:");
            const bool works = each.attribute("active") == kYes && each.attribute("failed") != kYes;
            state.has_fencing = state.has_fencing || (is_fencing && works);
            if (each.attribute("managed") == "false" &&
                std::ranges::find(state.unmanaged, each.attribute("id")) == state.unmanaged.end()) {
                state.unmanaged.push_back(each.attribute("id"));
            }
        } else if (each.starts("failure") && !is_degraded(each)) {
            state.failures.push_back(
                fmt::format("{} on {}", each.attribute("op_key"), each.attribute("node")));
        }
    }
    if (state.nodes.empty()) {
        return fail(Errc::malformed, "crm_mon names no node");
    }
    return state;
}

Result<std::string> cluster_option(std::string_view xml, std::string_view name) {
    VPNHA_TRY(const adapters::CibElements elements, adapters::elements_of(xml));
    for (const CibElement& each : elements) {
        if (each.starts("nvpair") && each.attribute("name") == name) {
            return each.attribute("value");
        }
    }
    return std::string();
}

Result<bool> is_probed(std::string_view xml, std::string_view gateway) {
    VPNHA_TRY(const adapters::CibElements elements, adapters::elements_of(xml));
    bool in_probe = false;
    for (const CibElement& each : elements) {
        if (each.name == "primitive") {
            in_probe = each.is_start && each.attribute("provider") == "vpnha" &&
                       each.attribute("type") == "probe";
        } else if (in_probe && each.starts("nvpair") && each.attribute("name") == "gateway" &&
                   each.attribute("value") == gateway) {
            return true;
        }
    }
    return false;
}

std::vector<ClusterLink> parse_cluster_links(std::string_view text) {
    std::vector<ClusterLink> links;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t open = line.find('(');
        const std::size_t arrow = line.find("->");
        const std::size_t close = line.find(')');
        if (open < arrow && arrow < close && close != std::string::npos) {
            links.push_back({line.substr(open + 1, arrow - open - 1),
                             line.substr(arrow + 2, close - arrow - 2)});
        }
    }
    return links;
}

Result<std::vector<std::vector<std::string>>> routes_to_keep(std::string_view text) {
    // Flags that `ip route show` adds and `ip route replace` does not accept.
    static constexpr std::array kStates{"dead", "linkdown", "offload", "trap", "notify"};
    std::vector<std::vector<std::string>> routes;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::vector<std::string> words = words_in(line);
        if (words.empty()) {
            continue;
        }
        if (words.front() == "nexthop") {
            return fail(Errc::unsupported, "a route of several ways leads over the device");
        }
        // The kernel's own return with the addresses, a router's with its next advertisement.
        if (has_pair(words, "proto", "kernel") || has_pair(words, "proto", "ra")) {
            continue;
        }
        std::erase_if(words, [](const std::string& word) {
            return std::ranges::find(kStates, word) != kStates.end();
        });
        routes.push_back(std::move(words));
    }
    return routes;
}

}  // namespace vpnha::cli::drill
