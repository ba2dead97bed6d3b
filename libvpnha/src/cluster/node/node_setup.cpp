// SPDX-License-Identifier: GPL-2.0-or-later
// The other nodes' identities: wire versions, and set-ups that differ.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cluster/node/node.hpp"

namespace vpnha::node {

namespace {

constexpr GatewayId kWholeNode{0};

// Items that one of the two does not have, or has with another hash.
void compare(NodeId node, const wire::Setup& mine, const wire::Setup& theirs,
             std::vector<Difference>& differences) {
    const auto find = [](const wire::Setup& setup, const std::string& name) {
        return std::find_if(setup.items.begin(), setup.items.end(),
                            [&name](const auto& item) { return item.name == name; });
    };
    for (const wire::Fingerprint& item : mine.items) {
        const auto other = find(theirs, item.name);
        if (other == theirs.items.end() || other->hash != item.hash) {
            differences.push_back({node, mine.gateway, item.name, item.weight});
        }
    }
    for (const wire::Fingerprint& item : theirs.items) {
        if (find(mine, item.name) == mine.items.end()) {
            differences.push_back({node, mine.gateway, item.name, item.weight});
        }
    }
}

// 1, 2, 4, 8 …: often enough to be seen, too seldom to fill a disk.
bool is_power_of_two(std::uint64_t count) {
    return count != 0 && (count & (count - 1)) == 0;
}

}  // namespace

std::set<NodeId> Node::incompatible() const {
    std::set<NodeId> nodes;
    for (const auto& [node, hello] : peers_) {
        if (!speech_.dialects.common(hello.version_min, hello.version_max)) {
            nodes.insert(node);
        }
    }
    return nodes;
}

void Node::on_hello(NodeId sender, const wire::Hello& hello, Effects& effects) {
    const bool is_new = !peers_.contains(sender);
    peers_[sender] = hello;
    names_[sender] = hello.node_name;
    if (is_new && incompatible().contains(sender)) {
        effects.emplace_back(
            Log{LogLevel::error,
                fmt::format("node {} ({}) speaks wire versions {} to {}, this one {} to {}: they "
                            "cannot replicate to each other; upgrade by one release at a time "
                            "event=incompatible",
                            hello.node_name, sender.value, hello.version_min, hello.version_max,
                            speech_.dialects.version_min(), speech_.dialects.version_max())});
    }
    choose_version(effects);
}

void Node::choose_version(Effects& effects) {
    std::uint8_t version = speech_.dialects.version_max();
    for (const NodeId member : members_) {
        const auto peer = peers_.find(member);
        if (member == settings_.self) {
            continue;
        }
        if (peer == peers_.end()) {
            version = speech_.dialects.version_min();  // Not introduced yet.
        } else if (const auto common = speech_.dialects.common(peer->second.version_min,
                                                               peer->second.version_max)) {
            version = std::min(version, *common);
        }
    }
    if (std::exchange(speech_.version, version) != version) {
        effects.emplace_back(
            Log{LogLevel::info, fmt::format("speaks wire version {} event=wire-version", version)});
    }
}

void Node::log_dropped(NodeId sender, const Error& error, Effects& effects) {
    const std::uint64_t count = ++(error.code == Errc::unsupported ? counters_.messages_unsupported
                                                                   : counters_.messages_malformed);
    if (is_power_of_two(count)) {
        effects.emplace_back(Log{LogLevel::warning,
                                 fmt::format("message dropped, the {}. event=malformed sender={}: "
                                             "{}",
                                             count, sender.value, error.detail)});
    }
}

Effects Node::set_setups(std::vector<wire::Setup> setups, TimePoint now) {
    Effects effects;
    settings_.setups = std::move(setups);
    setups_due_ = true;
    setups_changed_ = true;
    settle(now, effects);
    return effects;
}

std::vector<Difference> Node::differences() const {
    std::vector<Difference> differences;
    for (const auto& [place, theirs] : setups_) {
        const auto& [node, gateway] = place;
        const auto mine = std::find_if(
            settings_.setups.begin(), settings_.setups.end(),
            [&gateway = gateway](const auto& each) { return each.gateway == gateway; });
        if (node != settings_.self) {
            compare(node, mine != settings_.setups.end() ? *mine : wire::Setup{gateway, {}}, theirs,
                    differences);
        }
    }
    return differences;
}

void Node::compare_setups(TimePoint now, Effects& effects) {
    const bool all = std::exchange(setups_changed_, false);
    std::optional<std::vector<Difference>> differences;
    if (all) {
        differences = this->differences();
        const bool is_of_witness = std::any_of(
            differences->begin(), differences->end(),
            [](const Difference& each) { return each.item.starts_with("lease.witness"); });
        for (auto& [id, gateway] : gateways_) {
            gateway.ask_voters(now, effects, [&](GatewayVoters& voters) {
                voters.set_witness_differing(is_of_witness);
            });
        }
    }
    for (auto& [id, gateway] : gateways_) {
        const auto holder = gateway.cores().replica.holder();
        const auto [last, is_new] = compared_with_.try_emplace(id);
        if (!all && !is_new && last->second == holder) {
            continue;
        }
        last->second = holder;
        if (!holder) {
            continue;  // While no node is promoted the last one's set-up stays the reference.
        }
        if (!differences) {
            differences = this->differences();
        }
        std::vector<std::string> items;
        for (const Difference& difference : *differences) {
            if (difference.node == *holder && difference.weight == wire::Weight::session &&
                (difference.gateway == id || difference.gateway == kWholeNode)) {
                items.push_back(difference.item);
            }
        }
        gateway.blockers().set_differences(std::move(items));
    }
}

}  // namespace vpnha::node
