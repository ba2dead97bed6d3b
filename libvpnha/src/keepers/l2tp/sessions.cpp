// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/l2tp/sessions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"

namespace vpnha::keepers {

wire::RecordKey record_key_of(const l2tp::SessionKey& key) {
    return wire::RecordKey{wire::RecordType::l2tp_session, wire::RecordId(l2tp::encode_key(key))};
}

void L2tpSessions::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    const Result<l2tp::SessionRecord> record = l2tp::parse_record(wanted.payload);
    if (!record) {
        refusals_[wanted.key] = record.error().detail;
        set_aside(gateway_, wanted, record.error().detail, now, effects);
        return;
    }
    effects.emplace_back(node::InstallSession{gateway_.id(), *record, wanted.ticket});
}

void L2tpSessions::remove(const wire::RecordKey& key, Effects& effects) {
    refusals_.erase(key);
    if (const auto session = l2tp::parse_key(key.id.view())) {
        effects.emplace_back(node::RemoveSession{gateway_.id(), *session});
    }
}

void L2tpSessions::detach(Effects& effects) {
    scripts_.down_all(effects);
    proxies_.down_all(effects);
    for (const auto& [key, stored] : replica().store().all(wire::RecordType::l2tp_session)) {
        remove(key, effects);
    }
    refusals_.clear();
}

void L2tpSessions::on_event(const node::KeeperEvent& event, TimePoint now, Effects& effects) {
    if (const auto* own = event.get<node::L2tpEvent>()) {
        std::visit([&](const auto& each) { hear(each, now, effects); }, *own);
    } else if (const auto* plugin = event.get<node::PluginEvent>()) {
        std::visit([&](const auto& each) { hear(each, now, effects); }, *plugin);
    } else if (const auto* traffic = event.get<node::AccountingEvent>()) {
        std::visit([&](const auto& each) { hear(each, now, effects); }, *traffic);
    }
}

void L2tpSessions::hear(const node::SessionInstalled& installed, TimePoint now, Effects& effects) {
    const auto& [key, ticket, result] = installed;
    const wire::RecordKey record = record_key_of(key);
    const replica::StoredRecord* stored = replica().store().find(record);
    if (!gateway_.is_attached() || stored == nullptr || stored->ticket != ticket ||
        stored->hold != replica::Hold::installing) {
        return;
    }
    gateway_.replica().on_installed(
        record, ticket, result ? replica::Outcome::installed : replica::Outcome::refused, now);
    if (result) {
        refusals_.erase(record);
        ending_.erase(key);
    } else {
        refusals_[record] = result.error().detail;
        effects.emplace_back(
            node::Log{node::Level::error,
                      fmt::format("the kernel refused a session event=quarantined {} {}: {}",
                                  gateway_.tag(), l2tp::to_string(key), result.error().detail)});
    }
    if (!gateway_.is_served() || resumed_sessions_.contains(key) ||
        paused_sessions_.contains(key)) {
        return;
    }
    // Asked for before the promotion, answered after it.
    const auto tunnel = resumed_.find(key.tunnel);
    if (!gateway_.is_heard()) {
        paused_sessions_.insert(key);
    } else if (!result) {
        ending_.add(key);
        end_unresumable(now, effects);
    } else if (tunnel == resumed_.end()) {
        take_over(key);
        let_speak(key.tunnel, now, effects);
    } else if (tunnel->second.tunnel.has_sessions()) {
        const Result<l2tp::SessionRecord> late = l2tp::parse_record(stored->payload);
        VPNHA_ASSERT(late);  // It was installed from it.
        resume(*late, now, effects);
        end_unresumable(now, effects);
    } else {
        log_lost(l2tp::to_string(key), "its tunnel has ended meanwhile", effects);
        forget(record, now);
        effects.emplace_back(node::RemoveSession{gateway_.id(), key});
    }
}

void L2tpSessions::hear(const node::SessionGone& gone, TimePoint now, Effects& effects) {
    const l2tp::SessionKey& key = gone.key;
    const wire::RecordKey record = record_key_of(key);
    if (!gateway_.is_attached() || replica().hold(record) != replica::Hold::installed) {
        return;
    }
    ++counters_.sessions_gone;
    effects.emplace_back(node::Log{node::Level::error,
                                   fmt::format("somebody removed a session from this node's kernel "
                                               "event=gone {} {}",
                                               gateway_.tag(), l2tp::to_string(key))});
    gateway_.replica().on_gone(record);
    if (resumed_sessions_.contains(key)) {
        close(key, "this node's kernel lost it", EndCause::lost_service, now, effects);
    } else if (!replica().promoted()) {
        gateway_.install_missing(now, effects);
    }
}

Result<void> L2tpSessions::end(const wire::RecordKey& key, TimePoint now, Effects& effects) {
    if (const auto plugin = stock_.plugin_of(key)) {
        effects.emplace_back(node::EndPlugin{*plugin});
        return {};
    }
    VPNHA_TRY(const l2tp::SessionKey session, l2tp::parse_key(key.id.view()));
    if (!resumed_sessions_.contains(session)) {
        return fail(Errc::not_found, "this node has not resumed the session");
    }
    close(session, "ended by the operator", EndCause::admin_reset, now, effects);
    return {};
}

Result<ppp::Timeouts> L2tpSessions::change(const wire::RecordKey& key,
                                           const ppp::TimeoutChange& change, TimePoint now,
                                           Effects& effects) {
    if (const auto plugin = stock_.plugin_of(key)) {
        l2tp::SessionRecord& record = stock_.record(*plugin);
        record.facts.timeouts = change.of(record.facts.timeouts);
        gateway_.replica().amend(key, l2tp::encode_record(record));
        effects.emplace_back(node::ChangePlugin{*plugin, record.facts.timeouts});
        return record.facts.timeouts;
    }
    VPNHA_TRY(const l2tp::SessionKey session, l2tp::parse_key(key.id.view()));
    if (!resumed_sessions_.contains(session)) {
        return fail(Errc::not_found, "this node has not resumed the session");
    }
    VPNHA_TRY(l2tp::SessionRecord record, record_of(session));
    record.facts.timeouts = change.of(record.facts.timeouts);
    gateway_.replica().amend(key, l2tp::encode_record(record));
    watch_timeouts(record, now);
    return record.facts.timeouts;
}

void L2tpSessions::hear(const node::SessionNewsLost&, TimePoint, Effects& effects) {
    if (gateway_.is_attached()) {
        effects.emplace_back(node::Log{node::Level::warning,
                                       fmt::format("news of the kernel was lost; its sessions are "
                                                   "compared event=overrun {}",
                                                   gateway_.tag())});
        effects.emplace_back(node::AuditSessions{gateway_.id()});
    }
}

void L2tpSessions::hear(const node::SessionsAudited& audited, TimePoint now, Effects& effects) {
    std::vector<l2tp::SessionKey> gone;
    for (const auto& [key, stored] : replica().store().all(wire::RecordType::l2tp_session)) {
        const auto session = l2tp::parse_key(key.id.view());
        if (stored.hold == replica::Hold::installed && session &&
            !audited.present.contains(*session)) {
            gone.push_back(*session);
        }
    }
    for (const l2tp::SessionKey& session : gone) {
        hear(node::SessionGone{session}, now, effects);
    }
}

void L2tpSessions::hear(const node::PluginUp& up, TimePoint now, Effects& effects) {
    const auto& [plugin, session, not_resumable, radius] = up;
    const auto* const own = std::get_if<l2tp::SessionRecord>(&session);
    if (own == nullptr) {
        return;
    }
    l2tp::SessionRecord record = *own;
    record.facts.obstacle = not_resumable.substr(0, limits::kObstacleBytesMax);
    if (!gateway_.is_served()) {
        effects.emplace_back(
            node::AnswerPlugin{plugin, false, "this node is not promoted for the gateway"});
        return;
    }
    yield_to_stock(record.key, now, effects);
    const wire::RecordKey key = record_key_of(record.key);
    std::string obstacle = not_resumable;
    // Of one that cannot go on elsewhere it is there for its client to be told.
    const bool is_published = (record.facts.obstacle.empty() || l2tp::validate(record)) &&
                              gateway_.replica().publish(key, l2tp::encode_record(record));
    if (!is_published && obstacle.empty()) {
        obstacle = fmt::format("the replica is full ({} records)", limits::kRecordsPerGatewayMax);
    }
    stock_.put(plugin, {key, record, obstacle});
    if (!obstacle.empty()) {
        effects.emplace_back(node::AnswerPlugin{plugin, false, obstacle});
        effects.emplace_back(
            node::Log{node::Level::warning,
                      fmt::format("session will not survive this node event=unprotected {} "
                                  "{}: {}",
                                  gateway_.tag(), l2tp::to_string(record.key), obstacle)});
        return;
    }
    waiting_plugins_[plugin] = Waiting{key, now + settings_.confirm_wait};
    effects.emplace_back(
        node::Log{node::Level::info, fmt::format("session up event=session-up {} {}",
                                                 gateway_.tag(), l2tp::to_string(record.key))});
}

void L2tpSessions::hear(const node::PluginDown& down, TimePoint now, Effects& effects) {
    const node::PluginToken plugin = down.plugin;
    waiting_plugins_.erase(plugin);
    const auto ended = stock_.erase(plugin);
    if (!ended) {
        return;  // Ended by a demotion: the session lives on elsewhere.
    }
    const l2tp::SessionKey key = ended->record.key;
    if (replica().promoted()) {
        // A stock daemon that a demotion could not end may have had a session that is hot, too.
        if (replica().hold(record_key_of(key)) == replica::Hold::installed) {
            effects.emplace_back(node::RemoveSession{gateway_.id(), key});
        }
        gateway_.replica().erase(record_key_of(key), now);
        effects.emplace_back(
            node::Log{node::Level::info, fmt::format("session down event=session-down {} {}",
                                                     gateway_.tag(), l2tp::to_string(key))});
    }
}

void L2tpSessions::on_replica(TimePoint now, Effects& effects) {
    std::erase_if(waiting_plugins_, [&](const auto& waiting) {
        const auto& [plugin, wait] = waiting;
        const bool is_protected = replica().is_protected(wait.key);
        if (!is_protected && now < wait.until) {
            return false;
        }
        counters_.confirm_timeouts += is_protected ? 0 : 1;
        effects.emplace_back(node::AnswerPlugin{
            plugin, is_protected, is_protected ? "" : "no standby has confirmed it in time"});
        return true;
    });
}

void L2tpSessions::on_time(TimePoint now, Effects& effects) {
    speak_due(now, effects);
    end_unresumable(now, effects);
    end_due(now, effects);
    timeouts_.ask(gateway_.id(), now, effects);
    echoes_.ask(gateway_.id(), now, effects);
    on_replica(now, effects);
}

std::optional<TimePoint> L2tpSessions::next_deadline() const {
    std::optional<TimePoint> at =
        earliest(earliest(timeouts_.next_deadline(), turn_at_), ending_.next_deadline());
    at = earliest(at, echoes_.next_deadline());
    if (!deadlines_.empty()) {
        at = earliest(at, deadlines_.begin()->first);
    }
    for (const auto& [plugin, waiting] : waiting_plugins_) {
        at = earliest(at, waiting.until);
    }
    return at;
}

SessionView L2tpSessions::view_of(const l2tp::SessionRecord& record) const {
    const l2tp::SessionKey& key = record.key;
    std::vector<std::string> networks;
    if (record.facts.ipv6) {
        networks.push_back(to_string(link_local_address(record.facts.ipv6->theirs)));
    }
    for (const IpPrefix& route : record.facts.routes) {
        networks.push_back(to_string(route));
    }
    return {.record = record_key_of(key),
            .protocol = "l2tp",
            .ids = {{"tunnel", key.tunnel.id.value},
                    {"peer_tunnel", key.tunnel.peer_id.value},
                    {"session", key.id.value},
                    {"peer_session", key.peer_id.value}},
            .peer = to_string(key.tunnel.peer),
            .address = to_string(record.facts.peer_address),
            .user = record.facts.user,
            .interface = record.facts.interface,
            .established_unix_ms = record.facts.established_unix_ms,
            .state = SessionState::hot,
            .epoch = replica().epoch(),
            .reason = {},
            .networks = std::move(networks)};
}

std::optional<SessionView> L2tpSessions::view_of(const wire::RecordKey& key,
                                                 const replica::StoredRecord& stored) const {
    const Result<l2tp::SessionRecord> record = l2tp::parse_record(stored.payload);
    if (!record) {
        return std::nullopt;
    }
    SessionView view = view_of(*record);
    view.epoch = stored.version.epoch;
    show_state(view, replica(), key, stored, refusals_,
               {.is_resumed = resumed_sessions_.contains(record->key),
                .obstacle = record->facts.obstacle,
                .not_ready = "not yet in this node's kernel"});
    return view;
}

std::vector<SessionView> L2tpSessions::sessions(const ListPart& part) const {
    return list_sessions(
        replica().store(), stock_, part, wire::RecordType::l2tp_session,
        [this](const wire::RecordKey& key, const replica::StoredRecord& stored) {
            return view_of(key, stored);
        },
        [this](const l2tp::SessionRecord& record) { return view_of(record); });
}

SessionTotals L2tpSessions::session_totals() const {
    return count_sessions(replica().store(), stock_, wire::RecordType::l2tp_session, refusals_);
}

Counts L2tpSessions::counts() const {
    l2tp::TunnelCounters tunnels = past_tunnels_;
    for (const auto& [key, resumed] : resumed_) {
        tunnels += resumed.tunnel.counters();
    }
    return {{"confirm_timeouts", counters_.confirm_timeouts},
            {"sessions_lost", counters_.sessions_lost},
            {"sessions_gone", counters_.sessions_gone},
            {"l2tp_malformed", tunnels.malformed},
            {"l2tp_data_unknown", tunnels.data},
            {"l2tp_foreign_tunnel", tunnels.foreign_tunnel},
            {"l2tp_out_of_window", tunnels.out_of_window},
            {"l2tp_duplicates", tunnels.duplicates},
            {"l2tp_unexpected", tunnels.unexpected},
            {"l2tp_unproven", tunnels.unproven},
            {"l2tp_retransmissions", tunnels.retransmissions},
            {"ppp_malformed", tunnels.links.malformed},
            {"ppp_looped", tunnels.links.looped},
            {"ppp_unexpected", tunnels.links.unexpected},
            {"ppp_rejects_withheld", tunnels.links.rejects_withheld}};
}

}  // namespace vpnha::keepers
