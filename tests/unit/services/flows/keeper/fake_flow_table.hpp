// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel's table of flows that does at once what the node wants of it.
#pragma once

#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "cluster/node/node.hpp"
#include "services/flows/work.hpp"

namespace vpnha::node {

struct FakeFlowTable {
    std::map<conntrack::FlowKey, conntrack::Flow> flows;
    std::map<conntrack::FlowKey, conntrack::Expectation> expectations;
    bool watched = false;
    bool lists = true;  // false: a listing is begun, and fails.
    int listings = 0;
    int expectation_listings = 0;
    std::size_t room = std::numeric_limits<std::size_t>::max();
    bool busy = false;  // Installations wait for do_waiting().

    Effects execute(Node& node, const FlowWork& work, TimePoint now) {
        return std::visit([&](const auto& each) { return do_one(node, each, now); }, work);
    }

    Effects do_waiting(Node& node, TimePoint now) {
        Effects effects;
        for (const InstallFlows& install : std::exchange(waiting_, {})) {
            for (Effect& each : this->install(node, install, now)) {
                effects.push_back(std::move(each));
            }
        }
        return effects;
    }

  private:
    Effects do_one(Node&, const WatchFlows&, TimePoint) {
        watched = true;
        return {};
    }
    Effects do_one(Node&, const UnwatchFlows&, TimePoint) {
        watched = false;
        return {};
    }
    Effects do_one(Node& node, const LookUpFlows& look, TimePoint now) {
        std::vector<conntrack::News> news;
        for (const conntrack::FlowKey& key : look.flows) {
            if (flows.contains(key)) {
                news.push_back({conntrack::News::Kind::found, flows.at(key)});
            } else {
                news.emplace_back().kind = conntrack::News::Kind::ended;
                news.back().flow.key = key;
            }
        }
        return node.on_event(look.gateway, FlowNews{news}, now);
    }
    Effects do_one(Node& node, const InstallFlows& wanted, TimePoint now) {
        waiting_.push_back(wanted);
        return busy ? Effects{} : do_waiting(node, now);
    }
    Effects do_one(Node&, const RemoveFlows& remove, TimePoint) {
        for (const conntrack::FlowKey& key : remove.flows) {
            flows.erase(key);
            std::erase_if(expectations,
                          [&key](const auto& each) { return each.second.parent == key; });
        }
        return {};
    }
    Effects do_one(Node& node, const SetFlowTimeouts& timeouts, TimePoint now) {
        std::vector<conntrack::FlowKey> missing;
        std::vector<conntrack::News> news;
        for (const conntrack::Timeout& timeout : timeouts.flows) {
            const auto found = flows.find(timeout.key);
            if (found == flows.end()) {
                missing.push_back(timeout.key);
                continue;
            }
            conntrack::Flow& flow = found->second;
            const bool fixed = flow.key.protocol == conntrack::kGre;
            if (fixed && flow.timeout_s >= timeout.seconds / 2) {
                continue;
            }
            if (fixed && watched) {  // It is made anew.
                news.push_back({conntrack::News::Kind::ended, flow});
            }
            flow.timeout_s = timeout.seconds;
            if (fixed && watched) {
                news.push_back({conntrack::News::Kind::changed, flow});
            }
        }
        Effects effects = node.on_event(timeouts.gateway, FlowNews{news}, now);
        for (Effect& each : node.on_event(timeouts.gateway, FlowsMissing{missing}, now)) {
            effects.push_back(std::move(each));
        }
        return effects;
    }
    Effects install(Node& node, const InstallFlows& wanted_flows, TimePoint now) {
        std::vector<conntrack::Installed> answers;
        for (const conntrack::Wanted& wanted : wanted_flows.flows) {
            const conntrack::FlowKey& key = wanted.flow.key;
            const bool taken = flows.contains(key) || flows.size() < room;
            if (taken) {
                flows.insert_or_assign(key, conntrack::hot(wanted.flow));
            }
            answers.push_back({key, wanted.ticket, taken});
        }
        return node.on_event(wanted_flows.gateway, FlowsInstalled{answers}, now);
    }
    Effects do_one(Node& node, const ListExpectations& list, TimePoint now) {
        ++expectation_listings;
        std::vector<conntrack::Expectation> table;
        for (const auto& [key, expectation] : expectations) {
            table.push_back(expectation);
            table.back().key.zone = table.back().parent.zone = {};  // As the kernel does.
        }
        return node.on_event(list.gateway, ExpectationsListed{table}, now);
    }
    Effects do_one(Node& node, const InstallExpectations& install, TimePoint now) {
        std::vector<conntrack::Installed> answers;
        for (const conntrack::WantedExpectation& wanted : install.expectations) {
            conntrack::Expectation hot = wanted.expectation;
            hot.timeout_s = conntrack::kHotSeconds;
            const bool taken = flows.contains(hot.parent);
            if (taken) {
                expectations.insert_or_assign(hot.key, hot);
            }
            answers.push_back({hot.key, wanted.ticket, taken});
        }
        return node.on_event(install.gateway, ExpectationsInstalled{answers}, now);
    }
    Effects do_one(Node&, const RemoveExpectations& remove, TimePoint) {
        for (const conntrack::FlowKey& key : remove.expectations) {
            expectations.erase(key);
        }
        return {};
    }
    Effects do_one(Node& node, const SetExpectationTimeouts& timeouts, TimePoint now) {
        std::vector<conntrack::FlowKey> missing;
        for (const conntrack::Timeout& timeout : timeouts.expectations) {
            const auto found = expectations.find(timeout.key);
            if (found == expectations.end()) {
                missing.push_back(timeout.key);
            } else {
                found->second.timeout_s = timeout.seconds;
            }
        }
        return node.on_event(timeouts.gateway, ExpectationsMissing{missing}, now);
    }
    Effects do_one(Node& node, const ListFlows& list, TimePoint now) {
        const GatewayId gateway = list.gateway;
        ++listings;
        if (!lists) {
            return node.on_event(gateway, FlowsListed{false}, now);
        }
        std::vector<conntrack::News> news;
        for (const auto& [key, flow] : flows) {
            news.push_back({conntrack::News::Kind::listed, flow});
        }
        Effects effects = node.on_event(gateway, FlowNews{news}, now);
        for (Effect& each : node.on_event(gateway, FlowsListed{true}, now)) {
            effects.push_back(std::move(each));
        }
        return effects;
    }

    std::vector<InstallFlows> waiting_;
};

}  // namespace vpnha::node
