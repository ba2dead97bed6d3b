// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/model/tunnel_calls.hpp"

namespace vpnha::l2tp {

void TunnelCalls::add(const SessionKey& key, Stage stage) {
    calls_.emplace(key.id, Call{key, stage, {}});
    by_peer_.emplace(key.peer_id, key.id);
}

void TunnelCalls::offer(SessionId id, TimePoint until) {
    Call& call = calls_.at(id);
    call.stage = Stage::offered;
    call.until = until;
    deadlines_.emplace(until, id);
}

void TunnelCalls::connect(SessionId id) {
    Call& call = calls_.at(id);
    call.stage = Stage::connected;
    deadlines_.erase({call.until, id});
}

void TunnelCalls::erase(SessionId id) {
    connect(id);
    by_peer_.erase(calls_.at(id).key.peer_id);
    calls_.erase(id);
}

std::vector<SessionKey> TunnelCalls::clear() {
    std::vector<SessionKey> keys;
    for (const auto& [id, call] : calls_) {
        keys.push_back(call.key);
    }
    *this = {};
    return keys;
}

const TunnelCalls::Call* TunnelCalls::find_own(SessionId id) const {
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : &found->second;
}

const TunnelCalls::Call* TunnelCalls::find_peers(SessionId peer_id) const {
    const auto found = by_peer_.find(peer_id);
    return found == by_peer_.end() ? nullptr : &calls_.at(found->second);
}

const TunnelCalls::Call* TunnelCalls::first_overdue(TimePoint now) const {
    return deadlines_.empty() || deadlines_.begin()->first > now
               ? nullptr
               : &calls_.at(deadlines_.begin()->second);
}

std::optional<TimePoint> TunnelCalls::next_deadline() const {
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
}

}  // namespace vpnha::l2tp
