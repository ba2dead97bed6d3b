// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/keeper/ppp_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "protocols/families.hpp"

namespace vpnha::keepers {

PppKeeper::Settings PppKeeper::settings_of(const keepers::Settings& all) {
    return {all.confirm_wait, all.redials_per_second, all.resume_scripts, all.radius_rates};
}

PppKeeper::PppKeeper(Gateway& gateway, wire::RecordType type, const Settings& settings)
    : gateway_(gateway),
      ending_(settings.redials_per_second),
      scripts_(gateway, settings.resume_scripts),
      proxies_(gateway),
      rates_(gateway),
      type_(type),
      confirm_wait_(settings.confirm_wait),
      radius_rates_(settings.radius_rates) {}

void PppKeeper::log(LogLevel level, const char* what, const wire::RecordKey& key,
                    const std::string& why, Effects& effects) const {
    effects.emplace_back(effects::Log{
        level, fmt::format("{} {} session={} {}{}{}", what, gateway_.tag(), session_id(key),
                           name_of(key), why.empty() ? "" : ": ", why)});
}

void PppKeeper::log_lost(const wire::RecordKey& key, const std::string& why, Effects& effects) {
    ++counters_.sessions_lost;
    log(LogLevel::error, "session lost event=lost", key, why, effects);
}

void PppKeeper::on_replica(TimePoint now, Effects& effects) {
    std::erase_if(waiting_plugins_, [&](const auto& waiting) {
        const auto& [plugin, wait] = waiting;
        const bool is_protected = replica().is_protected(wait.key);
        if (!is_protected && now < wait.until) {
            return false;
        }
        counters_.confirm_timeouts += is_protected ? 0 : 1;
        effects.emplace_back(effects::AnswerPlugin{
            plugin, is_protected, is_protected ? "" : "no standby has confirmed it in time"});
        return true;
    });
}

void PppKeeper::mute(Effects& effects) {
    // No message is sent: the next promoted node resumes them.
    timeouts_.clear();
    ending_.clear();
    scripts_.down_all(effects);
    proxies_.down_all(effects);
    for (const auto& [plugin, session] : stock_.by_plugin()) {
        const auto& [key, facts, not_resumable] = session;
        scripts_.stock_down(key, script_facts(key, facts, 0), facts.interface, effects);
        proxies_.stock_down(facts.proxied, effects);
    }
    stock_.clear();
    waiting_plugins_.clear();
}

void PppKeeper::detach(Effects& effects) {
    scripts_.down_all(effects);
    proxies_.down_all(effects);
    rates_.remove_all(effects);
    timeouts_.clear();
    ending_.clear();
    refusals_.clear();
}

std::optional<ppp::SessionFacts> PppKeeper::stored_facts(const wire::RecordKey& key) const {
    const replica::StoredRecord* const stored = replica().store().find(key);
    return stored == nullptr ? std::nullopt : facts_of(stored->payload);
}

Result<void> PppKeeper::end(const wire::RecordKey& key, TimePoint now, Effects& effects) {
    if (const auto plugin = stock_.plugin_of(key)) {
        effects.emplace_back(effects::EndPlugin{*plugin});
        return {};
    }
    if (!is_resumed(key)) {
        return fail(Errc::not_found, "this node has not resumed the session");
    }
    end_resumed(key, "ended by the operator", EndCause::admin_reset, now, effects);
    return {};
}

Result<ppp::Terms> PppKeeper::change(const wire::RecordKey& key, const ppp::TermsChange& change,
                                     TimePoint now, Effects& effects) {
    if (change.rate && !radius_rates_) {
        return fail(Errc::unsupported, "the gateway accepts no rates of RADIUS servers");
    }
    if (const auto plugin = stock_.plugin_of(key)) {
        ppp::SessionFacts& facts = stock_.facts(*plugin);
        const ppp::Terms terms = change_facts(key, facts, change, effects);
        effects.emplace_back(effects::ChangePlugin{*plugin, terms.timeouts, change.rate});
        return terms;
    }
    std::optional<ppp::SessionFacts> facts = stored_facts(key);
    if (!is_resumed(key) || !facts) {
        return fail(Errc::not_found, "this node has not resumed the session");
    }
    const ppp::Terms terms = change_facts(key, *facts, change, effects);
    watch_timeouts(key, *facts, now);
    return terms;
}

ppp::Terms PppKeeper::change_facts(const wire::RecordKey& key, ppp::SessionFacts& facts,
                                   const ppp::TermsChange& change, Effects& effects) {
    const ppp::Terms terms = change.of({facts.timeouts, facts.rate});
    facts.timeouts = terms.timeouts;
    facts.rate = terms.rate;
    amend(key, facts);
    if (change.rate) {
        const bool is_stock = stock_.plugin_of(key).has_value();
        rates_.set(key, facts, is_stock ? SessionRates::Device{0, facts.interface} : device_of(key),
                   effects);
    }
    return terms;
}

void PppKeeper::on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) {
    if (const auto* const plugin = event.get<node::PluginEvent>()) {
        if (const auto* const up = std::get_if<node::PluginUp>(plugin);
            up != nullptr && up->session.record.type == type_) {
            on_plugin_up(*up, now, effects);
        } else if (const auto* const down = std::get_if<node::PluginDown>(plugin)) {
            on_plugin_down(*down, now, effects);
        }
    } else if (const auto* const accounting = event.get<node::AccountingEvent>()) {
        if (const auto* const read = std::get_if<node::TrafficRead>(accounting)) {
            on_traffic(*read, now, effects);
        }
    }
}

void PppKeeper::on_plugin_up(const node::PluginUp& up, TimePoint now, Effects& effects) {
    if (!gateway_.is_served()) {
        effects.emplace_back(
            effects::AnswerPlugin{up.plugin, false, "this node is not promoted for the gateway"});
        return;
    }
    const wire::RecordKey& key = up.session.record;
    ppp::SessionFacts facts = up.session.facts;
    facts.obstacle = up.not_resumable.substr(0, limits::kObstacleBytesMax);
    std::string obstacle = up.not_resumable;
    // A session that cannot be resumed has a record only so that its client can be notified.
    if (!begin_stock(up.session, facts, now, effects) && obstacle.empty()) {
        obstacle = fmt::format("the replica is full ({} records)", limits::kRecordsPerGatewayMax);
    }
    rates_.set(key, facts, {0, facts.interface}, effects);
    stock_.put(up.plugin, {key, std::move(facts), obstacle});
    if (obstacle.empty()) {
        waiting_plugins_[up.plugin] = {key, now + confirm_wait_};
        effects.emplace_back(effects::Log{
            LogLevel::info,
            fmt::format("session up event=session-up {} session={} address={} interface={} {}",
                        gateway_.tag(), session_id(key), to_string(up.session.facts.peer_address),
                        up.session.facts.interface, name_of(key))});
    } else {
        waiting_plugins_.erase(up.plugin);
        effects.emplace_back(effects::AnswerPlugin{up.plugin, false, obstacle});
        log(LogLevel::warning, "session will not survive this node event=unprotected", key,
            obstacle, effects);
    }
}

void PppKeeper::on_plugin_down(const node::PluginDown& down, TimePoint now, Effects& effects) {
    waiting_plugins_.erase(down.plugin);
    const auto ended = stock_.erase(down.plugin);
    // Without a session it was ended by a demotion, and continues on another node.
    if (ended && replica().promoted()) {
        rates_.remove(ended->key, effects);
        end_stock(ended->key, now, effects);
        log(LogLevel::info, "session down event=session-down", ended->key, {}, effects);
    }
}

void PppKeeper::on_traffic(const node::TrafficRead& read, TimePoint now, Effects& effects) {
    timeouts_.handle(read, now);
    end_due(now, effects);
}

void PppKeeper::end_due(TimePoint now, Effects& effects) {
    if (!gateway_.is_received()) {
        return;
    }
    for (const auto& [key, cause, reason] : timeouts_.take_due(now)) {
        if (is_resumed(key)) {
            end_resumed(key, std::string(reason), cause, now, effects);
        }
    }
}

void PppKeeper::end_unresumable(TimePoint now, Effects& effects) {
    if (!gateway_.is_received()) {
        return;
    }
    while (const auto key = ending_.take(now)) {
        if (!is_resumed(*key)) {
            give_up(*key, now, effects);
            continue;
        }
        const auto facts = stored_facts(*key);
        log_lost(*key, ends_with_node(facts ? facts->obstacle : std::string()), effects);
        end_resumed(*key, "it ended with the node that negotiated it", EndCause::lost_service, now,
                    effects);
    }
}

void PppKeeper::watch_timeouts(const wire::RecordKey& key, const ppp::SessionFacts& facts,
                               TimePoint now) {
    timeouts_.watch(
        {key, facts.timeouts, gateway_.clock().when(facts.established_unix_ms), facts.peer_address},
        now);
}

node::ScriptFacts PppKeeper::script_facts(const wire::RecordKey& key,
                                          const ppp::SessionFacts& facts,
                                          std::uint32_t device) const {
    return {.user = facts.user,
            .our_address = facts.our_address,
            .peer_address = facts.peer_address,
            .ipv6 = facts.ipv6,
            .established = gateway_.clock().when(facts.established_unix_ms),
            .device = device,
            .ipparam = ipparam_of(key)};
}

void PppKeeper::run_scripts(const wire::RecordKey& key, const ppp::SessionFacts& facts,
                            std::uint32_t device, Effects& effects) {
    scripts_.up(key, script_facts(key, facts, device), effects);
}

void PppKeeper::on_time(TimePoint now, Effects& effects) {
    end_unresumable(now, effects);
    end_due(now, effects);
    timeouts_.ask(gateway_.id(), now, effects);
    on_replica(now, effects);
}

std::optional<TimePoint> PppKeeper::next_deadline() const {
    std::optional<TimePoint> at = earliest(timeouts_.next_deadline(), ending_.next_deadline());
    for (const auto& [plugin, waiting] : waiting_plugins_) {
        at = earliest(at, waiting.until);
    }
    return at;
}

SessionView PppKeeper::view_of(const wire::RecordKey& key, const ppp::SessionFacts& facts) const {
    SessionView view{.record = key,
                     .protocol = {},
                     .ids = {},
                     .peer = {},
                     .address = to_string(facts.peer_address),
                     .user = facts.user,
                     .interface = facts.interface,
                     .established_unix_ms = facts.established_unix_ms,
                     .state = SessionState::unprotected,
                     .epoch = replica().epoch(),
                     .reason = {}};
    if (facts.ipv6) {
        view.networks.push_back(to_string(link_local_address(facts.ipv6->theirs)));
    }
    for (const IpPrefix& route : facts.routes) {
        view.networks.push_back(to_string(route));
    }
    view.rate = facts.rate;
    describe(key, view);
    return view;
}

SessionView PppKeeper::view_of(const StockSessions::Session& session) const {
    SessionView view = view_of(session.key, session.facts);
    view.reason = session.not_resumable;
    return view;
}

std::optional<SessionView> PppKeeper::view_of(const wire::RecordKey& key,
                                              const replica::StoredRecord& stored) const {
    const std::optional<ppp::SessionFacts> facts = facts_of(stored.payload);
    if (!facts) {
        return std::nullopt;
    }
    SessionView view = view_of(key, *facts);
    view.epoch = stored.version.epoch;
    show_state(
        view, replica(), key, stored, refusals_,
        {.is_resumed = is_resumed(key), .obstacle = facts->obstacle, .not_ready = not_ready()});
    return view;
}

// From the store, and stock sessions that no other node can resume: they may have no record.
std::vector<SessionView> PppKeeper::sessions(const ListPart& part) const {
    const replica::Store& store = replica().store();
    std::vector<SessionView> views;
    const wire::RecordKey after = std::max(part.after, wire::RecordKey{type_, {}});
    auto stored = store.records().upper_bound(after);
    auto own = stock_.unresumable().lower_bound({after, {}});
    const auto pass = [&own, this](const wire::RecordKey& key) {
        while (own != stock_.unresumable().end() && own->first == key) {
            ++own;
        }
    };
    pass(after);
    while (views.size() < part.max) {
        const bool is_stored = stored != store.records().end() && stored->first.type == type_;
        if (own != stock_.unresumable().end() && (!is_stored || own->first <= stored->first)) {
            const auto& [key, plugin] = *own;
            views.push_back(view_of(stock_.at(plugin)));
            stored = is_stored && stored->first == key ? std::next(stored) : stored;
            pass(wire::RecordKey(key));
        } else if (is_stored) {
            if (std::optional<SessionView> view = view_of(stored->first, stored->second)) {
                views.push_back(std::move(*view));
            }
            ++stored;
        } else {
            break;
        }
    }
    return views;
}

SessionTotals PppKeeper::session_totals() const {
    const replica::Store& store = replica().store();
    std::size_t only_here = 0;
    std::optional<wire::RecordKey> last;
    for (const auto& [key, plugin] : stock_.unresumable()) {
        only_here += last != key && store.find(key) == nullptr ? 1 : 0;
        last = key;
    }
    const auto refused = std::ranges::count_if(
        refusals_, [this](const auto& each) { return each.first.type == type_; });
    return {store.size_of(type_) + only_here, static_cast<std::size_t>(refused)};
}

Counts PppKeeper::counts() const {
    return {{"confirm_timeouts", counters_.confirm_timeouts},
            {"sessions_lost", counters_.sessions_lost}};
}

}  // namespace vpnha::keepers
