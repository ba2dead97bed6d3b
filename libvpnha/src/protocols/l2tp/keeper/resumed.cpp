// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions that a promoted node has taken over, with their tunnels.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/accounting.hpp"
#include "base/limits.hpp"
#include "protocols/l2tp/keeper/sessions.hpp"
#include "protocols/l2tp/work.hpp"

namespace vpnha::keepers {

void L2tpSessions::promote(TimePoint now, Effects& effects) {
    std::vector<wire::RecordKey> unreadable;
    for (const auto& [key, stored] : replica().store().all(wire::RecordType::l2tp_session)) {
        if (stored.hold == replica::Hold::installing) {
            continue;  // It is resumed when the kernel has it: on_installed().
        }
        const Result<l2tp::SessionKey> session = l2tp::parse_key(key.id.view());
        if (session && stored.hold == replica::Hold::installed) {
            take_over(*session);
        } else if (session && l2tp::parse_record(stored.payload)) {
            ending_.add(key);
        } else {
            unreadable.push_back(key);
        }
    }
    let_some_speak(now, effects);
    end_unresumable(now, effects);
    for (const wire::RecordKey& key : unreadable) {
        // The key names no session, so no client can be notified.
        log_lost(key, "this node cannot read its record", effects);
        forget(key, now);
    }
}

bool L2tpSessions::is_stock(const l2tp::SessionKey& key) const {
    return stock_.plugin_of(record_key_of(key)).has_value();
}

void L2tpSessions::yield_to_stock(const l2tp::SessionKey& key, TimePoint now, Effects& effects) {
    const wire::RecordKey record = record_key_of(key);
    const replica::Hold hold = replica().hold(record);
    if (hold != replica::Hold::installed && hold != replica::Hold::installing) {
        return;
    }
    paused_sessions_.erase(key);
    timeouts_.forget(record);
    echoes_.forget(record);
    ending_.erase(record);
    scripts_.down(record, effects);
    proxies_.leave_to_pppd(record);
    const bool was_resumed = resumed_sessions_.erase(key) != 0;
    if (was_resumed && !silent_.contains(key.tunnel)) {
        take(key.tunnel, resumed_.at(key.tunnel).tunnel.yield_session(key), now, effects);
    } else if (was_resumed && resumed_sessions_of(key.tunnel).empty() &&
               calls_.started_in(key.tunnel).empty()) {
        silent_.erase(key.tunnel);
    }
    replica().on_removed(record);
    effects.emplace_back(node::RemoveSession{gateway_.id(), key});
}

void L2tpSessions::take_over(const l2tp::SessionKey& key) {
    resumed_sessions_.insert(key);
    await_turn(key.tunnel);
}

void L2tpSessions::await_turn(const l2tp::TunnelKey& key) {
    if (!resumed_.contains(key)) {
        silent_.insert(key);
    }
}

void L2tpSessions::let_some_speak(TimePoint now, Effects& effects) {
    for (std::size_t i = 0; i < limits::kTunnelsPerTurn && !silent_.empty(); ++i) {
        const l2tp::TunnelKey tunnel = *silent_.begin();
        let_speak(tunnel, now, effects);
    }
    turn_at_.reset();
    if (!silent_.empty()) {
        turn_at_ = now + limits::kTunnelTurn;
    }
}

void L2tpSessions::let_speak(const l2tp::TunnelKey& key, TimePoint now, Effects& effects) {
    if (silent_.erase(key) == 0) {
        return;
    }
    for (const l2tp::SessionKey& session : resumed_sessions_of(key)) {
        if (const Result<l2tp::SessionRecord> record = record_of(session)) {
            resume(*record, now, effects);
        } else {
            resumed_sessions_.erase(session);  // From a newer holder; this node is not muted yet.
            scripts_.down(record_key_of(session), effects);
            proxies_.down(record_key_of(session), effects);
        }
    }
    for (const l2tp::SessionKey& call : calls_.started_in(key)) {
        tunnel_of(key).tunnel.add_call(call);
    }
    if (!resumed_.contains(key)) {
        return;
    }
    take(key, resumed_.at(key).tunnel.on_promoted(now), now, effects);
    end_unresumable(now, effects);
}

Result<l2tp::SessionRecord> L2tpSessions::record_of(const l2tp::SessionKey& key) const {
    const replica::StoredRecord* const stored = replica().store().find(record_key_of(key));
    return stored == nullptr ? fail(Errc::not_found, {}) : l2tp::parse_record(stored->payload);
}

std::vector<l2tp::SessionKey> L2tpSessions::resumed_sessions_of(
    const l2tp::TunnelKey& tunnel) const {
    std::vector<l2tp::SessionKey> sessions;
    for (auto at = resumed_sessions_.lower_bound({tunnel, {}, {}});
         at != resumed_sessions_.end() && at->tunnel == tunnel; ++at) {
        sessions.push_back(*at);
    }
    return sessions;
}

void L2tpSessions::mute_resumed(Effects& effects) {
    drop_waiting_calls(effects);
    for (const auto& [key, resumed] : std::exchange(resumed_, {})) {
        remove_ended(resumed, effects);
        past_tunnels_ += resumed.tunnel.counters();
    }
    deadlines_.clear();
    resumed_sessions_.clear();
    silent_.clear();
    turn_at_.reset();
    ending_.clear();
    paused_sessions_.clear();
    timeouts_.clear();
    echoes_.clear();
}

void L2tpSessions::mute(Effects& effects) {
    mute_resumed(effects);
    calls_.clear();  // Their pppds end with the stock daemon's.
    PppKeeper::mute(effects);
}

void L2tpSessions::pause(Effects& effects) {
    std::set<l2tp::SessionKey> paused = std::move(paused_sessions_);
    paused.merge(resumed_sessions_);
    for (const wire::RecordKey& key : ending_.take_all()) {
        if (const auto session = l2tp::parse_key(key.id.view())) {
            paused.insert(*session);
        }
    }
    mute_resumed(effects);
    paused_sessions_ = std::move(paused);
}

void L2tpSessions::unpause(TimePoint now, Effects& effects) {
    for (const l2tp::SessionKey& key : std::exchange(paused_sessions_, {})) {
        const replica::StoredRecord* const stored = replica().store().find(record_key_of(key));
        if (stored != nullptr && stored->hold == replica::Hold::installed) {
            take_over(key);
            continue;
        }
        scripts_.down(record_key_of(key), effects);
        proxies_.down(record_key_of(key), effects);
        if (stored != nullptr && !is_stock(key)) {
            ending_.add(record_key_of(key));
        }
    }
    for (const l2tp::SessionKey& call : calls_.started()) {
        await_turn(call.tunnel);
    }
    let_some_speak(now, effects);
    end_unresumable(now, effects);
}

L2tpSessions::Resumed& L2tpSessions::tunnel_of(const l2tp::TunnelKey& key) {
    const auto place = resumed_.find(key);
    return place == resumed_.end() ? begin_tunnel(key) : place->second;
}

L2tpSessions::Resumed& L2tpSessions::begin_tunnel(const l2tp::TunnelKey& key) {
    l2tp::ResumedTunnel tunnel(key, {.hello_interval = hello_interval_});
    return resumed_.emplace(key, Resumed{std::move(tunnel), {}, {}}).first->second;
}

void L2tpSessions::resume(const l2tp::SessionRecord& record, TimePoint now, Effects& effects) {
    tunnel_of(record.key.tunnel).tunnel.add_session(record);
    resumed_sessions_.insert(record.key);
    const wire::RecordKey key = record_key_of(record.key);
    if (!record.facts.obstacle.empty()) {
        ending_.add(key);
    } else {
        proxies_.up(key, record.facts.proxied, effects);
        run_scripts(key, record.facts, 0, effects);
    }
    watch_timeouts(key, record.facts, now);
    watch_echoes(record, now);
}

void L2tpSessions::watch_echoes(const l2tp::SessionRecord& record, TimePoint now) {
    if (record.facts.echo_is_adaptive) {
        echoes_.watch({record_key_of(record.key), record.facts.peer_address,
                       std::chrono::seconds(record.facts.echo_interval_s)},
                      now);
    }
}

void L2tpSessions::close(const l2tp::SessionKey& key, std::string reason, EndCause cause,
                         TimePoint now, Effects& effects) {
    let_speak(key.tunnel, now, effects);
    take(key.tunnel, resumed_.at(key.tunnel).tunnel.end_session(key, std::move(reason), cause, now),
         now, effects);
}

void L2tpSessions::on_traffic(const node::TrafficRead& read, TimePoint now, Effects& effects) {
    for (const wire::RecordKey& received : echoes_.handle(read)) {
        const auto key = l2tp::parse_key(received.id.view());
        const auto tunnel = key ? resumed_.find(key->tunnel) : resumed_.end();
        if (tunnel != resumed_.end()) {
            tunnel->second.tunnel.on_traffic(*key);
        }
    }
    PppKeeper::on_traffic(read, now, effects);
}

void L2tpSessions::give_up(const wire::RecordKey& name, TimePoint now, Effects& effects) {
    const replica::StoredRecord* const stored = replica().store().find(name);
    const auto parsed = l2tp::parse_key(name.id.view());
    if (stored == nullptr || !parsed || is_stock(*parsed) ||
        stored->hold == replica::Hold::installing) {
        return;  // It ended, is served here anew, or awaits the kernel.
    }
    log_lost(name, "this node's kernel does not have it; its client is notified", effects);
    const l2tp::SessionKey& key = *parsed;
    const l2tp::TunnelKey& tunnel = key.tunnel;
    let_speak(tunnel, now, effects);
    const auto resumed = resumed_.find(tunnel);
    const Result<l2tp::SessionRecord> record = l2tp::parse_record(stored->payload);
    if (record && resumed != resumed_.end() && resumed->second.tunnel.has_sessions()) {
        resumed->second.tunnel.add_session(*record);
        close(key, "this node's kernel does not have it", EndCause::lost_service, now, effects);
        return;
    }
    forget(name, now);
    if (resumed == resumed_.end()) {
        // A tunnel without a session sends StopCCN; RemoveSession closes the socket after it.
        Resumed& speaking = begin_tunnel(tunnel);
        speaking.ended.push_back(key);
        take(tunnel, speaking.tunnel.on_promoted(now), now, effects);
    }
}

void L2tpSessions::forget(const wire::RecordKey& key, TimePoint now) {
    replica().erase(key, now);
    gateway_.report_end(key, EndCause::lost_service, now);
}

void L2tpSessions::handle(const node::TunnelDatagram& datagram, TimePoint now, Effects& effects) {
    const auto found = addressee_of(datagram);
    if (found != resumed_.end()) {
        const l2tp::TunnelKey key = found->first;
        take(key, found->second.tunnel.on_datagram(datagram.bytes, now), now, effects);
    }
}

// Several tunnels of a LAC may come from one address and port. The kernel may deliver their packets
// to the socket of any of them; the id in the header is right (RFC 2661 3.1).
std::map<l2tp::TunnelKey, L2tpSessions::Resumed>::iterator L2tpSessions::addressee_of(
    const node::TunnelDatagram& datagram) {
    const std::optional<TunnelId> id = l2tp::tunnel_of(datagram.bytes);
    if (id && *id != datagram.tunnel.id) {
        const auto& [local, peer, own_id, peer_id] = datagram.tunnel;
        const auto other = resumed_.lower_bound({local, peer, *id, {}});
        if (other != resumed_.end() && other->first.local == local && other->first.peer == peer &&
            other->first.id == *id) {
            return other;
        }
    }
    return resumed_.find(datagram.tunnel);
}

void L2tpSessions::handle(const node::SessionFrame& frame, TimePoint now, Effects& effects) {
    const l2tp::TunnelKey& tunnel = frame.session.tunnel;
    const auto found = resumed_.find(tunnel);
    if (found != resumed_.end()) {
        take(tunnel, found->second.tunnel.on_frame(frame.session, frame.frame, now), now, effects);
    }
}

void L2tpSessions::take(const l2tp::TunnelKey& key, l2tp::TunnelEffects&& from, TimePoint now,
                        Effects& effects) {
    for (l2tp::TunnelEffect& effect : from) {
        if (auto* datagram = std::get_if<l2tp::SendDatagram>(&effect)) {
            effects.emplace_back(
                node::SendDatagram{gateway_.id(), key, std::move(datagram->bytes)});
        } else if (auto* frame = std::get_if<l2tp::SendFrame>(&effect)) {
            effects.emplace_back(
                node::SendFrame{gateway_.id(), frame->session, std::move(frame->frame)});
        } else if (auto* session = std::get_if<l2tp::SessionEnded>(&effect)) {
            end_session(key, *session, now, effects);
        } else if (const auto* asked = std::get_if<l2tp::CallAsked>(&effect)) {
            answer(asked->call, now, effects);
        } else if (const auto* connected = std::get_if<l2tp::CallConnected>(&effect)) {
            calls_.connect(connected->call);
            start_calls(now, effects);
        } else if (const auto* call = std::get_if<l2tp::CallEnded>(&effect)) {
            end_call(*call, effects);
        } else if (auto* ended = std::get_if<l2tp::TunnelEnded>(&effect)) {
            end_tunnel(key, ended->reason, effects);
            return;
        }
    }
    schedule(key);
}

void L2tpSessions::schedule(const l2tp::TunnelKey& key) {
    Resumed& resumed = resumed_.at(key);
    const std::optional<TimePoint> at = resumed.tunnel.next_deadline();
    if (at == resumed.scheduled) {
        return;
    }
    if (resumed.scheduled) {
        deadlines_.erase({*resumed.scheduled, key});
    }
    if (at) {
        deadlines_.emplace(*at, key);
    }
    resumed.scheduled = at;
}

void L2tpSessions::end_session(const l2tp::TunnelKey& tunnel, const l2tp::SessionEnded& ended,
                               TimePoint now, Effects& effects) {
    const auto& [session, reason, cause] = ended;
    const wire::RecordKey record = record_key_of(session);
    resumed_sessions_.erase(session);
    ending_.erase(record);
    timeouts_.forget(record);
    echoes_.forget(record);
    scripts_.down(record, effects);
    proxies_.down(record, effects);
    if (!replica().promoted()) {
        return;  // Superseded, and not muted yet: the new holder decides about it.
    }
    rates_.remove(record, effects);
    replica().erase(record, now);
    gateway_.report_end(record, cause, now);
    Resumed& resumed = resumed_.at(tunnel);
    if (resumed.tunnel.has_sessions()) {
        effects.emplace_back(node::RemoveSession{gateway_.id(), session});
    } else {
        // The socket closes with the last session, and the tunnel has still to send StopCCN.
        resumed.ended.push_back(session);
    }
    log(LogLevel::info, "session ended event=session-down", record, reason, effects);
}

void L2tpSessions::remove_ended(const Resumed& resumed, Effects& effects) {
    for (const l2tp::SessionKey& session : resumed.ended) {
        // A newer holder may continue it: then it is hot here again.
        if (replica().store().find(record_key_of(session)) == nullptr) {
            effects.emplace_back(node::RemoveSession{gateway_.id(), session});
        }
    }
    if (resumed.last_call) {
        effects.emplace_back(node::DropCall{gateway_.id(), *resumed.last_call});
    }
}

void L2tpSessions::end_tunnel(const l2tp::TunnelKey& key, const std::string& reason,
                              Effects& effects) {
    Resumed& resumed = resumed_.at(key);
    remove_ended(resumed, effects);
    past_tunnels_ += resumed.tunnel.counters();
    if (resumed.scheduled) {
        deadlines_.erase({*resumed.scheduled, key});
    }
    resumed_.erase(key);
    effects.emplace_back(effects::Log{
        LogLevel::info,
        fmt::format("tunnel ended {} peer={}: {}", gateway_.tag(), to_string(key.peer), reason)});
}

void L2tpSessions::speak_due(TimePoint now, Effects& effects) {
    if (!gateway_.is_received()) {
        return;
    }
    if (turn_at_ && *turn_at_ <= now) {
        let_some_speak(now, effects);
    }
    std::vector<l2tp::TunnelKey> due;
    for (auto at = deadlines_.begin();
         at != deadlines_.end() && at->first <= now && due.size() < limits::kTunnelsPerTurn; ++at) {
        due.push_back(at->second);
    }
    for (const l2tp::TunnelKey& key : due) {
        take(key, resumed_.at(key).tunnel.on_time(now), now, effects);
    }
}

}  // namespace vpnha::keepers
