// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/keeper/sessions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::keepers {

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
    rates_.remove(key, effects);
    if (const auto session = l2tp::parse_key(key.id.view())) {
        effects.emplace_back(node::RemoveSession{gateway_.id(), *session});
    }
}

void L2tpSessions::detach(Effects& effects) {
    PppKeeper::detach(effects);
    for (const auto& [key, stored] : replica().store().all(wire::RecordType::l2tp_session)) {
        remove(key, effects);
    }
}

void L2tpSessions::on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) {
    if (const auto* own = event.get<node::L2tpEvent>()) {
        std::visit([&](const auto& each) { handle(each, now, effects); }, *own);
    } else {
        PppKeeper::on_event(event, now, effects);
    }
}

void L2tpSessions::handle(const node::SessionInstalled& installed, TimePoint now,
                          Effects& effects) {
    const auto& [key, ticket, result] = installed;
    const wire::RecordKey record = record_key_of(key);
    const replica::StoredRecord* stored = replica().store().find(record);
    if (!gateway_.is_attached() || stored == nullptr || stored->ticket != ticket ||
        stored->hold != replica::Hold::installing) {
        return;
    }
    replica().on_installed(record, ticket,
                           result ? replica::Outcome::installed : replica::Outcome::refused, now);
    if (result) {
        refusals_.erase(record);
        ending_.erase(record);
        if (const auto facts = facts_of(stored->payload)) {
            rates_.set(record, *facts, device_of(record), effects);
        }
    } else {
        refusals_[record] = result.error().detail;
        log(LogLevel::error, "the kernel refused a session event=quarantined", record,
            result.error().detail, effects);
    }
    if (!gateway_.is_served() || resumed_sessions_.contains(key) ||
        paused_sessions_.contains(key)) {
        return;
    }
    // Requested before the promotion, answered after it.
    const auto tunnel = resumed_.find(key.tunnel);
    if (!gateway_.is_received()) {
        paused_sessions_.insert(key);
    } else if (!result) {
        ending_.add(record);
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
        log_lost(record, "its tunnel has ended meanwhile", effects);
        forget(record, now);
        rates_.remove(record, effects);
        effects.emplace_back(node::RemoveSession{gateway_.id(), key});
    }
}

void L2tpSessions::handle(const node::SessionGone& gone, TimePoint now, Effects& effects) {
    const l2tp::SessionKey& key = gone.key;
    const wire::RecordKey record = record_key_of(key);
    if (!gateway_.is_attached() || replica().hold(record) != replica::Hold::installed) {
        return;
    }
    ++removed_by_others_;
    log(LogLevel::error, "somebody removed a session from this node's kernel event=gone", record,
        {}, effects);
    replica().on_gone(record);
    if (resumed_sessions_.contains(key)) {
        close(key, "this node's kernel lost it", EndCause::lost_service, now, effects);
    } else if (!replica().promoted()) {
        gateway_.install_missing(now, effects);
    }
}

std::optional<ppp::SessionFacts> L2tpSessions::facts_of(ByteView payload) const {
    Result<l2tp::SessionRecord> record = l2tp::parse_record(payload);
    return record ? std::optional(std::move(record->facts)) : std::nullopt;
}

std::string L2tpSessions::name_of(const wire::RecordKey& key) const {
    const auto session = l2tp::parse_key(key.id.view());
    return session ? l2tp::to_string(*session) : "record=" + to_hex(key.id.view());
}

void L2tpSessions::describe(const wire::RecordKey& key, SessionView& view) const {
    view.protocol = "l2tp";
    if (const auto session = l2tp::parse_key(key.id.view())) {
        const l2tp::TunnelKey& tunnel = session->tunnel;
        view.ids = {{"tunnel", tunnel.id.value},
                    {"peer_tunnel", tunnel.peer_id.value},
                    {"session", session->id.value},
                    {"peer_session", session->peer_id.value}};
        view.peer = to_string(tunnel.peer);
    }
}

bool L2tpSessions::is_resumed(const wire::RecordKey& key) const {
    const auto session = l2tp::parse_key(key.id.view());
    return session && resumed_sessions_.contains(*session);
}

void L2tpSessions::amend(const wire::RecordKey& key, const ppp::SessionFacts& facts) {
    if (const auto session = l2tp::parse_key(key.id.view())) {
        replica().amend(key, l2tp::encode_record({*session, facts}));
    }
}

void L2tpSessions::end_resumed(const wire::RecordKey& key, std::string reason, EndCause cause,
                               TimePoint now, Effects& effects) {
    if (const auto session = l2tp::parse_key(key.id.view())) {
        close(*session, std::move(reason), cause, now, effects);
    }
}

void L2tpSessions::handle(const node::SessionNewsLost&, TimePoint, Effects& effects) {
    if (gateway_.is_attached()) {
        effects.emplace_back(effects::Log{
            LogLevel::warning, fmt::format("news of the kernel was lost; its sessions are "
                                           "compared event=overrun {}",
                                           gateway_.tag())});
        effects.emplace_back(node::AuditSessions{gateway_.id()});
    }
}

void L2tpSessions::handle(const node::SessionsAudited& audited, TimePoint now, Effects& effects) {
    std::vector<l2tp::SessionKey> gone;
    for (const auto& [key, stored] : replica().store().all(wire::RecordType::l2tp_session)) {
        const auto session = l2tp::parse_key(key.id.view());
        if (stored.hold == replica::Hold::installed && session &&
            !audited.present.contains(*session)) {
            gone.push_back(*session);
        }
    }
    for (const l2tp::SessionKey& session : gone) {
        handle(node::SessionGone{session}, now, effects);
    }
}

bool L2tpSessions::begin_stock(const node::PluginSession& session, const ppp::SessionFacts& facts,
                               TimePoint now, Effects& effects) {
    const auto key = l2tp::parse_key(session.record.id.view());
    if (!key) {
        return false;
    }
    const l2tp::SessionRecord record{*key, facts};
    yield_to_stock(record.key, now, effects);
    return (facts.obstacle.empty() || l2tp::validate(record)) &&
           replica().publish(session.record, l2tp::encode_record(record));
}

void L2tpSessions::end_stock(const wire::RecordKey& key, TimePoint now, Effects& effects) {
    // A stock daemon that outlived a demotion may have had a session that is hot, too.
    const auto session = l2tp::parse_key(key.id.view());
    if (session && replica().hold(key) == replica::Hold::installed) {
        effects.emplace_back(node::RemoveSession{gateway_.id(), *session});
    }
    replica().erase(key, now);
}

void L2tpSessions::on_time(TimePoint now, Effects& effects) {
    speak_due(now, effects);
    start_calls(now, effects);
    PppKeeper::on_time(now, effects);
    echoes_.ask(gateway_.id(), now, effects);
}

std::optional<TimePoint> L2tpSessions::next_deadline() const {
    std::optional<TimePoint> at =
        earliest(earliest(PppKeeper::next_deadline(), turn_at_), echoes_.next_deadline());
    if (!deadlines_.empty()) {
        at = earliest(at, deadlines_.begin()->first);
    }
    return earliest(at, calls_.next_deadline());
}

Counts L2tpSessions::counts() const {
    l2tp::TunnelCounters tunnels = past_tunnels_;
    for (const auto& [key, resumed] : resumed_) {
        tunnels += resumed.tunnel.counters();
    }
    const auto echo_time =
        std::chrono::duration_cast<std::chrono::milliseconds>(tunnels.links.echo_time);
    Counts counts = PppKeeper::counts();
    counts.merge(Counts{{"sessions_gone", removed_by_others_},
                        {"l2tp_malformed", tunnels.malformed},
                        {"l2tp_data_unknown", tunnels.data},
                        {"l2tp_foreign_tunnel", tunnels.foreign_tunnel},
                        {"l2tp_out_of_window", tunnels.out_of_window},
                        {"l2tp_duplicates", tunnels.duplicates},
                        {"l2tp_unexpected", tunnels.unexpected},
                        {"l2tp_unproven", tunnels.unproven},
                        {"l2tp_retransmissions", tunnels.retransmissions},
                        {"l2tp_calls_accepted", calls_accepted_},
                        {"l2tp_calls_refused", calls_refused_},
                        {"ppp_malformed", tunnels.links.malformed},
                        {"ppp_looped", tunnels.links.looped},
                        {"ppp_unexpected", tunnels.links.unexpected},
                        {"ppp_rejects_withheld", tunnels.links.rejects_withheld},
                        {"ppp_echoes_sent", tunnels.links.echoes_sent},
                        {"ppp_echoes_answered", tunnels.links.echoes_answered},
                        {"ppp_echo_ms", static_cast<std::uint64_t>(echo_time.count())}});
    return counts;
}

}  // namespace vpnha::keepers
