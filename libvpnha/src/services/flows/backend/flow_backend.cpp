// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/flows/backend/flow_backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

#include "base/limits.hpp"
#include "host/os/log.hpp"
#include "host/os/timers.hpp"
#include "services/flows/backend/conntrack_check.hpp"

namespace vpnha::runtime {

namespace {

using conntrack::News;

// A fifth of the kernel's queue at 250 000 events a second.
constexpr Duration kBurstPause = std::chrono::milliseconds(20);
// A socket that could not be opened for lack of memory may open now.
constexpr Duration kOpenAgain = std::chrono::seconds(1);

// The entries of a command. A listing has none.
template <class Command>
auto& entries_of(Command& work) {
    if constexpr (requires { work.flows; }) {
        return work.flows;
    } else {
        return work.expectations;
    }
}
template <class Command>
constexpr bool kHasEntries = !std::is_same_v<Command, node::ListExpectations>;

}  // namespace

void complain_of_flows(std::string_view what, const Error& error) {
    adapters::write_log(LogLevel::error, fmt::format("{}: {}", what, error.detail));
}

Status table_status(const ports::FlowTable::Counters& counters) {
    return {{"counters/flow_collisions", counters.collisions},
            {"counters/flow_without_helper", counters.without_helper},
            {"counters/flow_without_parent", counters.without_parent}};
}

std::unique_ptr<ports::FlowTable> open_flow_table(const config::Config& config) {
    if (!replicates_flows(config)) {
        return nullptr;
    }
    warn_of_conntrack_settings(config);
    Result<std::unique_ptr<adapters::ConntrackTable>> table = adapters::ConntrackTable::open();
    if (!table) {
        complain_of_flows("flows are not replicated", table.error());
        return nullptr;
    }
    return std::move(*table);
}

FlowBackend::FlowBackend(adapters::QbLoop& loop, node::Node& node,
                         std::unique_ptr<ports::FlowTable> table, Run run)
    : loop_(loop), node_(node), table_(std::move(table)), run_(std::move(run)) {}

FlowBackend::~FlowBackend() {
    for (const int timer : {kFlowTimer, kFlowReadTimer, kFlowOpenTimer, kFlowListTimer}) {
        loop_.cancel_timer(timer);
    }
    for (const auto& [gateway, events] : events_) {
        loop_.unwatch(events.fd());
    }
    for (const auto& [gateway, listing] : listings_) {
        loop_.unwatch(listing.fd());
    }
}

bool FlowBackend::execute(effects::ProtocolWork& work) {
    return execute_own<node::FlowWork>(work, [this](auto& each) { carry_out(each); });
}

void FlowBackend::carry_out(const node::WatchFlows& work) {
    carry_out(node::UnwatchFlows{work.gateway});
    served_.insert_or_assign(work.gateway, work.policy);
    unopened_.insert_or_assign(work.gateway, work.policy);
    open_events();
}

void FlowBackend::open_events() {
    for (auto at = unopened_.begin(); at != unopened_.end();) {
        Result<adapters::ConntrackEvents> events = adapters::ConntrackEvents::open(at->second);
        if (!events) {
            complain_of_flows("flows are not replicated until this works", events.error());
            loop_.set_timer(kFlowOpenTimer, loop_.now() + kOpenAgain, [this] {
                const auto late = unopened_;
                open_events();
                for (const auto& [gateway, policy] : late) {
                    if (events_.contains(gateway)) {
                        run_(node_.on_event(gateway, node::FlowNewsLost{},
                                            loop_.now()));  // What happened before.
                    }
                }
            });
            return;
        }
        const GatewayId gateway = at->first;
        events_.emplace(gateway, std::move(*events));
        at = unopened_.erase(at);
        listen(gateway);
    }
}

void FlowBackend::listen(GatewayId gateway) {
    const int fd = events_.at(gateway).fd();
    const Result<void> watched = loop_.watch(fd, [this, gateway, fd] {
        loop_.unwatch(fd);
        if (readable_.empty()) {
            loop_.set_timer(kFlowReadTimer, loop_.now() + kBurstPause, [this] { read_bursts(); });
        }
        readable_.insert(gateway);
    });
    if (!watched) {
        complain_of_flows("flows are not replicated", watched.error());
    }
}

void FlowBackend::read_bursts() {
    std::vector<News> news;
    std::vector<conntrack::ExpectationNews> expected;
    for (const GatewayId gateway : std::exchange(readable_, {})) {
        const auto events = events_.find(gateway);
        if (events == events_.end()) {
            continue;
        }
        news.clear();
        expected.clear();
        const auto [whole, drained] =
            events->second.read([&news](const News& each) { news.push_back(each); },
                                [&expected](const auto& each) { expected.push_back(each); });
        if (!whole) {
            overrun_.insert(gateway);
        }
        if (drained) {
            listen(gateway);
        } else {
            readable_.insert(gateway);
        }
        if (!news.empty()) {
            run_(node_.on_event(gateway, node::FlowNews{news}, loop_.now()));
        }
        if (!expected.empty()) {
            run_(node_.on_event(gateway, node::ExpectationNews{expected}, loop_.now()));
        }
        // The kernel reports a loss once, and drops all events until the older ones have been read.
        // Those are older than what a listing would find now.
        if (drained && overrun_.erase(gateway) != 0) {
            run_(node_.on_event(gateway, node::FlowNewsLost{}, loop_.now()));
        }
    }
    if (!readable_.empty()) {
        loop_.set_timer(kFlowReadTimer, loop_.now(), [this] { read_bursts(); });
    }
}

void FlowBackend::forget_timeouts(GatewayId gateway) {
    std::erase_if(trains_, [&](const Train& train) {
        const auto* const timeouts = std::get_if<node::SetFlowTimeouts>(&train);
        if (timeouts == nullptr || timeouts->gateway != gateway) {
            return false;
        }
        waiting_[gateway] -= timeouts->flows.size();
        return true;
    });
}

void FlowBackend::carry_out(const node::UnwatchFlows& work) {
    const GatewayId gateway = work.gateway;
    forget_timeouts(gateway);
    served_.erase(gateway);
    unopened_.erase(gateway);
    readable_.erase(gateway);
    overrun_.erase(gateway);
    if (const auto events = events_.find(gateway); events != events_.end()) {
        loop_.unwatch(events->second.fd());
        events_.erase(events);
    }
}

void FlowBackend::carry_out(const node::ListFlows& work) {
    const GatewayId gateway = work.gateway;
    if (const auto old = listings_.find(gateway); old != listings_.end()) {
        loop_.unwatch(old->second.fd());
        listings_.erase(old);
    }
    Result<adapters::ConntrackListing> listing = adapters::ConntrackListing::start();
    Result<void> started = listing.map([](const auto&) {});
    if (listing) {
        const int fd = listings_.emplace(gateway, std::move(*listing)).first->second.fd();
        started = loop_.watch(fd, [this, gateway] { read_listing(gateway); });
    }
    if (!started) {
        complain_of_flows("the kernel's flows cannot be listed", started.error());
        listings_.erase(gateway);
        unlisted_.insert(gateway);
        loop_.set_timer(kFlowListTimer, loop_.now(), [this] {
            for (const GatewayId each : std::exchange(unlisted_, {})) {
                run_(node_.on_event(each, node::FlowsListed{false}, loop_.now()));
            }
        });
    }
}

void FlowBackend::read_listing(GatewayId gateway) {
    adapters::ConntrackListing& listing = listings_.at(gateway);
    std::vector<News> news;
    const auto state = listing.read([&news](const News& each) { news.push_back(each); });
    const bool more = state && *state == adapters::ConntrackListing::State::more;
    if (!more) {
        loop_.unwatch(listing.fd());
        listings_.erase(gateway);
    }
    if (!news.empty()) {
        run_(node_.on_event(gateway, node::FlowNews{news}, loop_.now()));
    }
    if (!more) {
        run_(node_.on_event(gateway, node::FlowsListed{state.has_value()}, loop_.now()));
    }
}

void FlowBackend::add(Train train) {
    if (trains_.empty()) {
        loop_.set_timer(kFlowTimer, loop_.now(), [this] { work_slice(); });
    }
    trains_.push_back(std::move(train));
}

template <effects::OneOf<FlowBackend::Train> Command>
void FlowBackend::carry_out(Command& work) {
    if constexpr (kHasEntries<Command>) {
        auto& all = entries_of(work);
        waiting_[work.gateway] += all.size();
        for (std::size_t begin = 0; begin < all.size(); begin += limits::kFlowsPerTrain) {
            const auto first = all.begin() + static_cast<std::ptrdiff_t>(begin);
            const auto count = std::min(limits::kFlowsPerTrain, all.size() - begin);
            const auto last = first + static_cast<std::ptrdiff_t>(count);
            add(Command{work.gateway, {std::move_iterator(first), std::move_iterator(last)}});
        }
    } else {
        add(work);
    }
}

Status FlowBackend::status() const {
    return table_ ? table_status(table_->counters()) : Status();
}

Status FlowBackend::status_of(GatewayId gateway) const {
    return {{"conntrack/waiting", waiting(gateway)}};
}

std::size_t FlowBackend::waiting(GatewayId gateway) const {
    const auto found = waiting_.find(gateway);
    return found == waiting_.end() ? 0 : found->second;
}

void FlowBackend::work_slice() {
    const TimePoint until = loop_.now() + limits::kLoopSlice;
    while (!trains_.empty() && loop_.now() < until) {
        work_once();
    }
    if (!trains_.empty()) {
        // Other work of the node has its turn, too.
        loop_.set_timer(kFlowTimer, loop_.now() + limits::kLoopSlice, [this] { work_slice(); });
    }
}

void FlowBackend::finish() {
    while (!trains_.empty()) {
        work_once();
    }
}

void FlowBackend::work_once() {
    Train train = std::move(trains_.front());  // Its results may add others.
    trains_.pop_front();
    std::visit(
        [&](auto& work) {
            if constexpr (kHasEntries<std::remove_reference_t<decltype(work)>>) {
                waiting_[work.gateway] -= entries_of(work).size();
            }
            work_off(work);
        },
        train);
}

bool FlowBackend::is_others(GatewayId gateway, const conntrack::Flow& flow) const {
    return !served_.contains(gateway) &&
           std::any_of(served_.begin(), served_.end(), [&flow](const auto& each) {
               return conntrack::concerns(each.second, flow);
           });
}

bool FlowBackend::is_others(GatewayId gateway, const conntrack::FlowKey& key) const {
    conntrack::Flow flow;
    flow.key = key;
    flow.reply = key.original;
    return !served_.contains(gateway) &&
           std::any_of(served_.begin(), served_.end(), [&flow](const auto& each) {
               return each.second.mark_mask == 0 && conntrack::concerns(each.second, flow);
           });
}

void FlowBackend::work_off(node::InstallFlows& train) {
    std::vector<conntrack::Installed> others;
    std::erase_if(train.flows, [&](const conntrack::Wanted& each) {
        const bool is = is_others(train.gateway, each.flow);
        if (is) {
            others.push_back({each.flow.key, each.ticket, true});
        }
        return is;
    });
    std::vector<conntrack::Flow> flows;
    flows.reserve(train.flows.size());
    for (conntrack::Wanted& each : train.flows) {
        flows.push_back(conntrack::hot(std::move(each.flow)));
    }
    const conntrack::Live live =
        served_.contains(train.gateway) ? conntrack::Live::stays : conntrack::Live::changes;
    const Result<std::vector<bool>> taken =
        flows.empty() ? std::vector<bool>{} : table_->install(flows, live);
    if (!taken) {
        complain_of_flows("flows cannot be installed", taken.error());
    }
    std::vector<conntrack::Installed> answers = answers_of(flows, train.flows, taken);
    answers.insert(answers.end(), others.begin(), others.end());
    run_(node_.on_event(train.gateway, node::FlowsInstalled{answers}, loop_.now()));
}

std::vector<conntrack::FlowKey> FlowBackend::missing_of(
    const std::vector<conntrack::Timeout>& timeouts, const std::vector<bool>& there) {
    std::vector<conntrack::FlowKey> missing;
    for (std::size_t n = 0; n < timeouts.size(); ++n) {
        if (!there[n]) {
            missing.push_back(timeouts[n].key);
        }
    }
    return missing;
}

void FlowBackend::work_off(node::RemoveFlows& train) {
    std::erase_if(train.flows, [&](const auto& key) { return is_others(train.gateway, key); });
    if (const Result<void> removed = table_->remove(train.flows); !removed) {
        complain_of_flows("flows cannot be removed", removed.error());
    }
}

void FlowBackend::work_off(node::SetFlowTimeouts& train) {
    std::erase_if(train.flows,
                  [&](const auto& each) { return is_others(train.gateway, each.key); });
    const Result<std::vector<bool>> there = table_->set_timeouts(train.flows);
    if (!there) {
        complain_of_flows("timeouts of flows cannot be set", there.error());
        return;
    }
    if (const auto missing = missing_of(train.flows, *there); !missing.empty()) {
        run_(node_.on_event(train.gateway, node::FlowsMissing{missing}, loop_.now()));
    }
}

void FlowBackend::work_off(const node::LookUpFlows& train) {
    std::vector<News> news;
    for (const conntrack::FlowKey& key : train.flows) {
        Result<std::optional<conntrack::Flow>> found = table_->find(key);
        if (!found) {
            complain_of_flows("a flow cannot be looked up", found.error());
        } else if (*found) {
            news.push_back({.kind = News::Kind::found, .flow = std::move(**found)});
        } else {
            news.emplace_back().kind = News::Kind::ended;
            news.back().flow.key = key;
        }
    }
    if (!news.empty()) {
        run_(node_.on_event(train.gateway, node::FlowNews{news}, loop_.now()));
    }
}

}  // namespace vpnha::runtime
