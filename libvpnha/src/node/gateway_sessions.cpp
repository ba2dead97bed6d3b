// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions of a gateway on this node: stock ones as their plugins tell, hot ones in the kernel,
// resumed ones with their tunnels.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "node/gateway_node.hpp"

namespace vpnha::node {

namespace {

wire::RecordKey record_key(const l2tp::SessionKey& key) {
    return wire::RecordKey{wire::RecordType::l2tp_session, wire::RecordId(l2tp::encode_key(key))};
}

}  // namespace

void GatewayNode::resume_sessions(TimePoint now, Effects& effects) {
    struct Lost {
        wire::RecordKey key;
        std::optional<l2tp::SessionRecord> record;
    };
    std::vector<Lost> lost;
    for (const auto& [key, stored] : replica_.store().all(wire::RecordType::l2tp_session)) {
        if (stored.hold == replica::Hold::installing) {
            continue;  // It is resumed when the kernel has it: on_installed().
        }
        Result<l2tp::SessionRecord> record = l2tp::parse_record(stored.payload);
        if (record && stored.hold == replica::Hold::installed) {
            resume(*record);
        } else {
            lost.push_back({key, record ? std::optional(std::move(*record)) : std::nullopt});
        }
    }
    std::set<l2tp::TunnelKey> tunnels;
    for (const auto& [key, resumed] : resumed_) {
        tunnels.insert(key);
    }
    promote_tunnels(tunnels, now, effects);
    for (const Lost& each : lost) {
        give_up(each.key, each.record ? &*each.record : nullptr,
                "this node's kernel does not have it", now, effects);
    }
}

bool GatewayNode::is_stock(const l2tp::SessionKey& key) const {
    return std::any_of(stock_.begin(), stock_.end(),
                       [&key](const auto& each) { return each.second.record.key == key; });
}

void GatewayNode::promote_tunnels(const std::set<l2tp::TunnelKey>& tunnels, TimePoint now,
                                  Effects& effects) {
    std::size_t before = 0;
    for (const l2tp::TunnelKey& key : tunnels) {
        const auto turn = static_cast<Duration::rep>(before++ / limits::kTunnelsPerTurn);
        Resumed& resumed = resumed_.at(key);
        resumed.silent = true;
        if (turn == 0) {
            let_speak(key, now, effects);
            continue;
        }
        resumed.scheduled = now + turn * Duration(limits::kTunnelTurn);
        deadlines_.emplace(*resumed.scheduled, key);
    }
}

void GatewayNode::let_speak(const l2tp::TunnelKey& key, TimePoint now, Effects& effects) {
    Resumed& resumed = resumed_.at(key);
    if (std::exchange(resumed.silent, false)) {
        take(key, resumed.tunnel.on_promoted(now), now, effects);
    }
}

void GatewayNode::mute_resumed(Effects& effects) {
    for (const auto& [key, resumed] : std::exchange(resumed_, {})) {
        remove_ended(resumed, effects);
        past_tunnels_ += resumed.tunnel.counters();
    }
    deadlines_.clear();
    resumed_sessions_.clear();
    paused_sessions_.clear();
}

void GatewayNode::pause_resumed(Effects& effects) {
    std::set<l2tp::SessionKey> paused = std::move(paused_sessions_);
    paused.merge(resumed_sessions_);
    mute_resumed(effects);
    paused_sessions_ = std::move(paused);
}

void GatewayNode::resume_paused(TimePoint now, Effects& effects) {
    std::vector<std::pair<wire::RecordKey, l2tp::SessionRecord>> lost;
    std::set<l2tp::TunnelKey> silent;
    for (const l2tp::SessionKey& key : std::exchange(paused_sessions_, {})) {
        const replica::StoredRecord* const stored = replica_.store().find(record_key(key));
        if (stored == nullptr) {
            continue;
        }
        Result<l2tp::SessionRecord> record = l2tp::parse_record(stored->payload);
        VPNHA_ASSERT(record);  // It was resumed from it.
        if (stored->hold == replica::Hold::installed) {
            if (!resumed_.contains(key.tunnel)) {
                silent.insert(key.tunnel);
            }
            resume(*record);
        } else if (!is_stock(key)) {
            lost.emplace_back(record_key(key), std::move(*record));
        }
    }
    promote_tunnels(silent, now, effects);
    for (const auto& [key, record] : lost) {
        give_up(key, &record, "this node's kernel lost it", now, effects);
    }
}

void GatewayNode::resume(const l2tp::SessionRecord& record) {
    const l2tp::TunnelKey& tunnel = record.key.tunnel;
    auto place = resumed_.find(tunnel);
    if (place == resumed_.end()) {
        l2tp::ResumedTunnel resumed(tunnel, {.hello_interval = settings_.hello_interval});
        place = resumed_.emplace(tunnel, Resumed{std::move(resumed), {}, {}, false}).first;
    }
    place->second.tunnel.add_session(record);
    resumed_sessions_.insert(record.key);
}

void GatewayNode::give_up(const wire::RecordKey& key, const l2tp::SessionRecord* record,
                          const std::string& why, TimePoint now, Effects& effects) {
    ++counters_.sessions_lost;
    effects.emplace_back(Log{Level::error, fmt::format("session lost event=lost {} record={}: {}",
                                                       tag(), to_hex(key.id.view()), why)});
    const auto tunnel = record == nullptr ? resumed_.end() : resumed_.find(record->key.tunnel);
    if (record == nullptr || tunnel == resumed_.end()) {
        // Nothing of its tunnel is here that could tell the client; its own echoes will.
        replica_.erase(key, now);
        return;
    }
    // The client hears at once that it has to dial again.
    let_speak(record->key.tunnel, now, effects);
    tunnel->second.tunnel.add_session(*record);
    take(record->key.tunnel, tunnel->second.tunnel.end_session(record->key, now), now, effects);
}

void GatewayNode::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    switch (wanted.key.type) {
        case wire::RecordType::l2tp_session:
            install_session(wanted, now, effects);
            return;
        case wire::RecordType::flow:
        case wire::RecordType::expectation:
            flows_.install(wanted, now, effects);
            return;
    }
    // Kept, and passed on: it is worth something to a node that knows it.
    set_aside(wanted,
              fmt::format("record type {} is of a later release; upgrade this node",
                          static_cast<int>(wanted.key.type)),
              now, effects);
}

void GatewayNode::set_aside(const replica::Install& wanted, const std::string& why, TimePoint now,
                            Effects& effects) {
    // Identical bytes must never bring down all nodes at once: this one record is set aside.
    replica_.on_installed(wanted.key, wanted.ticket, replica::Outcome::unreadable, now);
    effects.emplace_back(
        Log{Level::error, fmt::format("record set aside event=quarantined {} record={}: {}", tag(),
                                      to_hex(wanted.key.id.view()), why)});
}

void GatewayNode::remove(const wire::RecordKey& key, Effects& effects) {
    switch (key.type) {
        case wire::RecordType::l2tp_session:
            refusals_.erase(key);
            if (const auto session = l2tp::parse_key(key.id.view())) {
                effects.emplace_back(RemoveSession{settings_.id, *session});
            }
            return;
        case wire::RecordType::flow:
        case wire::RecordType::expectation:
            flows_.remove(key, effects);
            return;
    }
    // Of any other type nothing is in this node's kernel.
}

void GatewayNode::install_session(const replica::Install& wanted, TimePoint now, Effects& effects) {
    const Result<l2tp::SessionRecord> record = l2tp::parse_record(wanted.payload);
    if (!record) {
        refusals_[wanted.key] = record.error().detail;
        set_aside(wanted, record.error().detail, now, effects);
        return;
    }
    effects.emplace_back(InstallSession{settings_.id, *record, wanted.ticket});
}

void GatewayNode::on_installed(const l2tp::SessionKey& key, std::uint64_t ticket,
                               const Result<void>& result, TimePoint now, Effects& effects) {
    const wire::RecordKey record = record_key(key);
    const replica::StoredRecord* stored = replica_.store().find(record);
    if (!attached_ || stored == nullptr || stored->ticket != ticket) {
        return;
    }
    replica_.on_installed(record, ticket,
                          result ? replica::Outcome::installed : replica::Outcome::refused, now);
    if (result) {
        refusals_.erase(record);
    } else {
        refusals_[record] = result.error().detail;
        effects.emplace_back(Log{
            Level::error, fmt::format("the kernel refused a session event=quarantined {} {}: {}",
                                      tag(), l2tp::to_string(key), result.error().detail)});
    }
    if (!takeover_.serves() || resumed_sessions_.contains(key) || paused_sessions_.contains(key)) {
        return;
    }
    // Asked for before the promotion, answered after it.
    const Result<l2tp::SessionRecord> late = l2tp::parse_record(stored->payload);
    if (!result || !late) {
        give_up(record, late ? &*late : nullptr, "this node's kernel refused it", now, effects);
        return;
    }
    const auto tunnel = resumed_.find(key.tunnel);
    if (!lease_.holder().serving()) {
        paused_sessions_.insert(key);
    } else if (tunnel == resumed_.end()) {
        resume(*late);
        take(key.tunnel, resumed_.at(key.tunnel).tunnel.on_promoted(now), now, effects);
    } else if (tunnel->second.tunnel.has_sessions()) {
        resume(*late);  // Its tunnel speaks already.
    } else {
        give_up(record, nullptr, "its tunnel has ended meanwhile", now, effects);
        effects.emplace_back(RemoveSession{settings_.id, key});
    }
}

void GatewayNode::on_session_gone(const l2tp::SessionKey& key, TimePoint now, Effects& effects) {
    const wire::RecordKey record = record_key(key);
    if (!attached_ || replica_.hold(record) != replica::Hold::installed) {
        return;
    }
    ++counters_.sessions_gone;
    effects.emplace_back(
        Log{Level::error, fmt::format("somebody removed a session from this node's kernel "
                                      "event=gone {} {}",
                                      tag(), l2tp::to_string(key))});
    replica_.on_gone(record);
    if (resumed_sessions_.contains(key)) {
        let_speak(key.tunnel, now, effects);
        take(key.tunnel, resumed_.at(key.tunnel).tunnel.end_session(key, now), now, effects);
    } else if (!replica_.promoted()) {
        take(replica_.install_missing(), now, effects);
    }
}

void GatewayNode::on_kernel_overrun(Effects& effects) {
    if (attached_) {
        effects.emplace_back(
            Log{Level::warning, fmt::format("news of the kernel was lost; its sessions are "
                                            "compared event=overrun {}",
                                            tag())});
        effects.emplace_back(AuditSessions{settings_.id});
    }
}

void GatewayNode::on_audited(const std::set<l2tp::SessionKey>& present, TimePoint now,
                             Effects& effects) {
    std::vector<l2tp::SessionKey> gone;
    for (const auto& [key, stored] : replica_.store().all(wire::RecordType::l2tp_session)) {
        const auto session = l2tp::parse_key(key.id.view());
        if (stored.hold == replica::Hold::installed && session && !present.contains(*session)) {
            gone.push_back(*session);
        }
    }
    for (const l2tp::SessionKey& session : gone) {
        on_session_gone(session, now, effects);
    }
}

void GatewayNode::on_plugin_up(PluginToken plugin, const l2tp::SessionRecord& record,
                               const std::string& not_resumable, TimePoint now, Effects& effects) {
    if (!takeover_.serves()) {
        effects.emplace_back(
            AnswerPlugin{plugin, false, "this node is not promoted for the gateway"});
        return;
    }
    const wire::RecordKey key = record_key(record.key);
    std::string obstacle = not_resumable;
    if (obstacle.empty() && !replica_.publish(key, l2tp::encode_record(record))) {
        obstacle = fmt::format("the replica is full ({} records)", limits::kRecordsPerGatewayMax);
    }
    stock_[plugin] = StockSession{record, obstacle};
    if (!obstacle.empty()) {
        effects.emplace_back(AnswerPlugin{plugin, false, obstacle});
        effects.emplace_back(Log{
            Level::warning, fmt::format("session will not survive this node event=unprotected {} "
                                        "{}: {}",
                                        tag(), l2tp::to_string(record.key), obstacle)});
        return;
    }
    waiting_plugins_[plugin] = Waiting{key, now + confirm_wait_};
    effects.emplace_back(Log{Level::info, fmt::format("session up event=session-up {} {}", tag(),
                                                      l2tp::to_string(record.key))});
}

void GatewayNode::on_plugin_down(PluginToken plugin, TimePoint now, Effects& effects) {
    waiting_plugins_.erase(plugin);
    const auto found = stock_.find(plugin);
    if (found == stock_.end()) {
        return;  // Ended by a demotion: the session lives on elsewhere.
    }
    const l2tp::SessionKey key = found->second.record.key;
    stock_.erase(found);
    if (replica_.promoted()) {
        // A stock daemon that a demotion could not end may have had a session that is hot, too.
        if (replica_.hold(record_key(key)) == replica::Hold::installed) {
            effects.emplace_back(RemoveSession{settings_.id, key});
        }
        replica_.erase(record_key(key), now);
        effects.emplace_back(Log{Level::info, fmt::format("session down event=session-down {} {}",
                                                          tag(), l2tp::to_string(key))});
    }
}

void GatewayNode::answer_protected(TimePoint now, Effects& effects) {
    std::erase_if(waiting_plugins_, [&](const auto& waiting) {
        const auto& [plugin, wait] = waiting;
        const bool is_protected = replica_.is_protected(wait.key);
        if (!is_protected && now < wait.until) {
            return false;
        }
        counters_.confirm_timeouts += is_protected ? 0 : 1;
        effects.emplace_back(AnswerPlugin{
            plugin, is_protected, is_protected ? "" : "no standby has confirmed it in time"});
        return true;
    });
}

void GatewayNode::on_datagram(const l2tp::TunnelKey& tunnel, ByteView bytes, TimePoint now,
                              Effects& effects) {
    const auto found = resumed_.find(tunnel);
    if (found != resumed_.end()) {
        take(tunnel, found->second.tunnel.on_datagram(bytes, now), now, effects);
    }
}

void GatewayNode::on_frame(const l2tp::SessionKey& session, ByteView frame, TimePoint now,
                           Effects& effects) {
    const auto found = resumed_.find(session.tunnel);
    if (found != resumed_.end()) {
        take(session.tunnel, found->second.tunnel.on_frame(session, frame, now), now, effects);
    }
}

void GatewayNode::take(const l2tp::TunnelKey& key, l2tp::TunnelEffects&& from, TimePoint now,
                       Effects& effects) {
    for (l2tp::TunnelEffect& effect : from) {
        if (auto* datagram = std::get_if<l2tp::SendDatagram>(&effect)) {
            effects.emplace_back(SendDatagram{settings_.id, key, std::move(datagram->bytes)});
        } else if (auto* frame = std::get_if<l2tp::SendFrame>(&effect)) {
            effects.emplace_back(SendFrame{settings_.id, frame->session, std::move(frame->frame)});
        } else if (auto* session = std::get_if<l2tp::SessionEnded>(&effect)) {
            end_session(key, session->session, session->reason, now, effects);
        } else if (auto* ended = std::get_if<l2tp::TunnelEnded>(&effect)) {
            end_tunnel(key, ended->reason, effects);
            return;
        }
    }
    schedule(key);
}

void GatewayNode::schedule(const l2tp::TunnelKey& key) {
    Resumed& resumed = resumed_.at(key);
    const std::optional<TimePoint> at = resumed.tunnel.next_deadline();
    if (at == resumed.scheduled || resumed.silent) {
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

void GatewayNode::end_session(const l2tp::TunnelKey& tunnel, const l2tp::SessionKey& session,
                              const std::string& reason, TimePoint now, Effects& effects) {
    resumed_sessions_.erase(session);
    if (!replica_.promoted()) {
        return;  // Superseded, and not muted yet: what becomes of it is the new holder's word.
    }
    replica_.erase(record_key(session), now);
    Resumed& resumed = resumed_.at(tunnel);
    if (resumed.tunnel.has_sessions()) {
        effects.emplace_back(RemoveSession{settings_.id, session});
    } else {
        // The tunnel's socket goes with its last session, and the tunnel has still to say goodbye.
        resumed.ended.push_back(session);
    }
    effects.emplace_back(Log{Level::info, fmt::format("session ended event=session-down {} {}: {}",
                                                      tag(), l2tp::to_string(session), reason)});
}

void GatewayNode::remove_ended(const Resumed& resumed, Effects& effects) {
    for (const l2tp::SessionKey& session : resumed.ended) {
        // For a newer holder it may go on: then it is hot here again.
        if (replica_.store().find(record_key(session)) == nullptr) {
            effects.emplace_back(RemoveSession{settings_.id, session});
        }
    }
}

void GatewayNode::end_tunnel(const l2tp::TunnelKey& key, const std::string& reason,
                             Effects& effects) {
    Resumed& resumed = resumed_.at(key);
    remove_ended(resumed, effects);
    past_tunnels_ += resumed.tunnel.counters();
    if (resumed.scheduled) {
        deadlines_.erase({*resumed.scheduled, key});
    }
    resumed_.erase(key);
    effects.emplace_back(Log{Level::info, fmt::format("tunnel ended {} peer={}: {}", tag(),
                                                      to_string(key.peer), reason)});
}

}  // namespace vpnha::node
