// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/flow_backend.hpp"

#include <algorithm>
#include <array>

#include "sim/plan.hpp"

namespace vpnha::sim {

namespace {

using conntrack::News;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// Few, so that much can happen between two slices or portions.
constexpr std::size_t kSlice = 8;
// As the daemon waits for events to come together.
constexpr Duration kBurstPause = milliseconds(20);

std::string in_words(const News& news) {
    static constexpr std::array<std::string_view, 4> kKinds{"is", "has ended, was", "is listed as",
                                                            "is found as"};
    const conntrack::Flow& flow = news.flow;
    return fmt::format("{} {} state {} status {:x} mark {} timeout {}", to_string(flow.key),
                       kKinds.at(static_cast<std::size_t>(news.kind)),
                       flow.tcp ? static_cast<int>(flow.tcp->state) : -1, flow.status, flow.mark,
                       flow.timeout_s);
}

std::string in_words(const conntrack::ExpectationNews& news) {
    const conntrack::Expectation& expectation = news.expectation;
    return fmt::format("{} {} expected because of {}, flags {} timeout {}",
                       to_string(expectation.key),
                       news.kind == conntrack::ExpectationNews::Kind::made ? "is" : "is no longer",
                       to_string(expectation.parent), expectation.flags, expectation.timeout_s);
}

}  // namespace

FlowBackend::FlowBackend(NodeId machine, Agenda& agenda, test::Random& random, Story& story,
                         Post post)
    : machine_(machine),
      agenda_(agenda),
      random_(random),
      story_(story),
      post_(std::move(post)),
      table_([this](const News& news) { handle(news); },
             [this](const conntrack::ExpectationNews& news) { handle(news); }) {}

void FlowBackend::later(Duration delay, Call call) {
    agenda_.after(delay, [this, life = life_, call = std::move(call)] {
        if (life == life_) {
            post_(call);
        }
    });
}

void FlowBackend::execute(const node::FlowWork& work) {
    std::visit([this](const auto& each) { execute(each); }, work);
}

void FlowBackend::forget_timeouts(GatewayId gateway) {
    std::erase_if(waiting_, [&](const Work& each) {
        const auto* const timeouts = std::get_if<node::SetFlowTimeouts>(&each);
        return timeouts != nullptr && timeouts->gateway == gateway;
    });
}

void FlowBackend::execute(const node::WatchFlows& watch) {
    forget_timeouts(watch.gateway);
    watches_.insert_or_assign(watch.gateway, Watch{watch.policy, {}, false});
}

void FlowBackend::execute(const node::UnwatchFlows& unwatch) {
    forget_timeouts(unwatch.gateway);
    watches_.erase(unwatch.gateway);
}

void FlowBackend::execute(const node::ListFlows& list) {
    // What is to be installed may still be waiting then.
    Listing& listing = listings_[list.gateway] = Listing{++last_listing_, {}, {}, false};
    read_ahead(listing);
    schedule_listing(list.gateway, listing.number);
}

void FlowBackend::execute(const node::LookUpFlows& look) {
    add(look, look.flows);
}

void FlowBackend::execute(const node::InstallFlows& install) {
    add(install, install.flows);
}

void FlowBackend::execute(const node::RemoveFlows& remove) {
    add(remove, remove.flows);
}

void FlowBackend::execute(const node::SetFlowTimeouts& timeouts) {
    add(timeouts, timeouts.flows);
}

void FlowBackend::execute(const node::ListExpectations& list) {
    waiting_.emplace_back(list);
    schedule_work();
}

void FlowBackend::execute(const node::InstallExpectations& install) {
    add(install, install.expectations);
}

void FlowBackend::execute(const node::RemoveExpectations& remove) {
    add(remove, remove.expectations);
}

void FlowBackend::execute(const node::SetExpectationTimeouts& timeouts) {
    add(timeouts, timeouts.expectations);
}

effects::Effects FlowBackend::finish(node::Node& node, TimePoint now) {
    effects::Effects effects;
    while (!waiting_.empty()) {
        for (effects::Effect& each : work(node, now)) {
            effects.push_back(std::move(each));
        }
    }
    return effects;
}

void FlowBackend::reset() {
    ++life_;
    waiting_.clear();
    work_due_ = false;
    watches_.clear();
    listings_.clear();
    failing_listings_percent = 0;
}

template <class Batch, class Each>
void FlowBackend::add(const Batch& batch, const std::vector<Each>& wanted) {
    for (std::size_t begin = 0; begin < wanted.size(); begin += kSlice) {
        const auto first = wanted.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto count = std::min(kSlice, wanted.size() - begin);
        waiting_.emplace_back(
            Batch{batch.gateway, {first, first + static_cast<std::ptrdiff_t>(count)}});
    }
    schedule_work();
}

void FlowBackend::schedule_work() {
    if (work_due_ || waiting_.empty()) {
        return;
    }
    work_due_ = true;
    // Much is to be done sometimes.
    const Duration delay = random_.chance(3) ? between(random_, milliseconds(5), milliseconds(1500))
                                             : between(random_, microseconds(20), milliseconds(5));
    later(delay, [this](node::Node& node, TimePoint now) {
        work_due_ = false;
        effects::Effects effects = work(node, now);
        schedule_work();
        return effects;
    });
}

effects::Effects FlowBackend::work(node::Node& node, TimePoint now) {
    if (waiting_.empty()) {
        return {};
    }
    const Work next = std::move(waiting_.front());
    waiting_.pop_front();
    return std::visit([&](const auto& batch) { return work_off(batch, node, now); }, next);
}

effects::Effects FlowBackend::work_off(const node::LookUpFlows& look, node::Node& node,
                                       TimePoint now) {
    std::vector<News> news;
    for (const conntrack::FlowKey& key : look.flows) {
        if (const auto found = table_.flows().find(key); found != table_.flows().end()) {
            news.push_back({News::Kind::found, found->second});
        } else {
            news.emplace_back().kind = News::Kind::ended;
            news.back().flow.key = key;
        }
    }
    return node.on_event(look.gateway, node::FlowNews{news}, now);
}

effects::Effects FlowBackend::work_off(const node::InstallFlows& install, node::Node& node,
                                       TimePoint now) {
    const conntrack::Live live =
        watches_.contains(install.gateway) ? conntrack::Live::stays : conntrack::Live::changes;
    std::vector<conntrack::Installed> answers;
    for (const conntrack::Wanted& wanted : install.flows) {
        const auto there = table_.flows().find(wanted.flow.key);
        const std::optional<conntrack::Flow> resident =
            there == table_.flows().end() ? std::nullopt : std::optional(there->second);
        const bool stays =
            conntrack::compare(wanted.flow, resident, live) == conntrack::Resident::live;
        const bool taken = stays || table_.put(conntrack::hot(wanted.flow));
        answers.push_back({wanted.flow.key, wanted.ticket, taken});
    }
    return node.on_event(install.gateway, node::FlowsInstalled{answers}, now);
}

effects::Effects FlowBackend::work_off(const node::RemoveFlows& remove, node::Node&, TimePoint) {
    for (const conntrack::FlowKey& key : remove.flows) {
        table_.remove(key);
    }
    return {};
}

effects::Effects FlowBackend::work_off(const node::SetFlowTimeouts& timeouts, node::Node& node,
                                       TimePoint now) {
    std::vector<conntrack::FlowKey> missing;
    for (const conntrack::Timeout& timeout : timeouts.flows) {
        if (!table_.set_timeout(timeout.key, timeout.seconds)) {
            missing.push_back(timeout.key);
        }
    }
    return missing.empty() ? effects::Effects{}
                           : node.on_event(timeouts.gateway, node::FlowsMissing{missing}, now);
}

effects::Effects FlowBackend::work_off(const node::ListExpectations& list, node::Node& node,
                                       TimePoint now) {
    std::vector<conntrack::Expectation> all;
    for (const auto& [key, expectation] : table_.expectations()) {
        all.push_back(expectation);
    }
    return random_.chance(failing_listings_percent)
               ? effects::Effects{}
               : node.on_event(list.gateway, node::ExpectationsListed{all}, now);
}

effects::Effects FlowBackend::work_off(const node::InstallExpectations& install, node::Node& node,
                                       TimePoint now) {
    std::vector<conntrack::Installed> answers;
    for (const conntrack::WantedExpectation& wanted : install.expectations) {
        conntrack::Expectation hot = wanted.expectation;
        hot.timeout_s = conntrack::kHotSeconds;
        answers.push_back({hot.key, wanted.ticket, table_.expect(hot)});
    }
    return node.on_event(install.gateway, node::ExpectationsInstalled{answers}, now);
}

effects::Effects FlowBackend::work_off(const node::RemoveExpectations& remove, node::Node&,
                                       TimePoint) {
    for (const conntrack::FlowKey& key : remove.expectations) {
        table_.forget(key);
    }
    return {};
}

effects::Effects FlowBackend::work_off(const node::SetExpectationTimeouts& timeouts,
                                       node::Node& node, TimePoint now) {
    std::vector<conntrack::FlowKey> missing;
    for (const conntrack::Timeout& timeout : timeouts.expectations) {
        const auto found = table_.expectations().find(timeout.key);
        if (found == table_.expectations().end() ||
            !table_.renew(timeout.key, timeout.seconds, found->second.flags)) {
            missing.push_back(timeout.key);
        }
    }
    return missing.empty()
               ? effects::Effects{}
               : node.on_event(timeouts.gateway, node::ExpectationsMissing{missing}, now);
}

// The kernel makes a portion ready when the one before it is fetched: what is fetched is older than
// what happens meanwhile.
void FlowBackend::read_ahead(Listing& listing) {
    const FlowTable::Flows& flows = table_.flows();
    auto at = listing.last ? flows.upper_bound(*listing.last) : flows.begin();
    for (std::size_t n = 0; n < kSlice && at != flows.end(); ++n, ++at) {
        listing.last = at->first;
        listing.read.push_back({News::Kind::listed, at->second});
    }
    listing.done = at == flows.end();
}

void FlowBackend::schedule_listing(GatewayId gateway, std::uint64_t number) {
    later(between(random_, microseconds(20), milliseconds(random_.chance(10) ? 100 : 5)),
          [=, this](node::Node& node, TimePoint now) {
              const auto listing = listings_.find(gateway);
              return listing != listings_.end() && listing->second.number == number
                         ? continue_listing(gateway, node, now)
                         : effects::Effects{};
          });
}

effects::Effects FlowBackend::continue_listing(GatewayId gateway, node::Node& node, TimePoint now) {
    Listing& listing = listings_.at(gateway);
    const bool fails = random_.chance(failing_listings_percent);
    if (fails || listing.read.empty()) {
        listings_.erase(gateway);
        return node.on_event(gateway, node::FlowsListed{!fails}, now);
    }
    const std::vector<News> news = std::exchange(listing.read, {});
    for (const News& each : news) {
        notify("hears", each);
    }
    if (!listing.done) {
        read_ahead(listing);
    }
    schedule_listing(gateway, listing.number);
    return node.on_event(gateway, node::FlowNews{news}, now);
}

void FlowBackend::notify(std::string_view how, const News& news) {
    if (story_.is_notified()) {
        story_.notify(machine_, "{} {}", how, in_words(news));
    }
}

void FlowBackend::notify(std::string_view how, const conntrack::ExpectationNews& news) {
    if (story_.is_notified()) {
        story_.notify(machine_, "{} {}", how, in_words(news));
    }
}

// Of a flow that is not assured the filter in the kernel lets nothing through, not even its end.
void FlowBackend::handle(const News& news) {
    notify("kernel:", news);
    const bool assured = (news.flow.status & conntrack::kAssured) != 0;
    for (auto& [gateway, watch] : watches_) {
        if ((assured || watch.policy.unassured) && conntrack::concerns(watch.policy, news.flow)) {
            deliver(gateway, watch, news);
        }
    }
}

void FlowBackend::handle(const conntrack::ExpectationNews& news) {
    notify("kernel:", news);
    for (auto& [gateway, watch] : watches_) {
        deliver(gateway, watch, news);
    }
}

template <class News>
void FlowBackend::deliver(GatewayId gateway, Watch& watch, const News& news) {
    if (watch.congested) {
        return;
    }
    watch.unread.emplace_back(news);
    if (watch.unread.size() == 1) {
        schedule_read(gateway);
    }
}

void FlowBackend::overrun() {
    for (auto& [gateway, watch] : watches_) {
        watch.congested = true;
        schedule_read(gateway);
    }
}

void FlowBackend::schedule_read(GatewayId gateway) {
    later(between(random_, microseconds(20), kBurstPause),
          [=, this](node::Node& node, TimePoint now) { return read(gateway, node, now); });
}

effects::Effects FlowBackend::read(GatewayId gateway, node::Node& node, TimePoint now) {
    const auto found = watches_.find(gateway);
    if (found == watches_.end()) {
        return {};
    }
    Watch& watch = found->second;
    if (watch.unread.empty()) {
        return std::exchange(watch.congested, false)
                   ? node.on_event(gateway, node::FlowNewsLost{}, now)
                   : effects::Effects{};
    }
    const std::size_t count =
        random_.chance(30) ? 1 + random_.below(watch.unread.size()) : watch.unread.size();
    const auto last = watch.unread.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<News> news;
    std::vector<conntrack::ExpectationNews> expected;
    for (auto each = watch.unread.begin(); each != last; ++each) {
        std::visit([this](const auto& one) { notify("hears", one); }, *each);
        if (auto* flow = std::get_if<News>(&*each)) {
            news.push_back(std::move(*flow));
        } else {
            expected.push_back(std::get<conntrack::ExpectationNews>(*each));
        }
    }
    watch.unread.erase(watch.unread.begin(), last);
    if (!watch.unread.empty() || watch.congested) {
        schedule_read(gateway);
    }
    effects::Effects effects = node.on_event(gateway, node::FlowNews{news}, now);
    for (effects::Effect& each : node.on_event(gateway, node::ExpectationNews{expected}, now)) {
        effects.push_back(std::move(each));
    }
    return effects;
}

}  // namespace vpnha::sim
