// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/keeper/peers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "protocols/wireguard/model/key_text.hpp"

namespace vpnha::keepers {

namespace {

using node::Keepalive;
using node::peer_record_of;
using node::traffic_record_of;
using wire::RecordType;
using wireguard::Peer;
using wireguard::PublicKey;

// For a peer without a keepalive: a change from 0 to it makes the kernel shake hands.
constexpr std::uint16_t kWakingKeepalive_s = 25;
constexpr Duration kReadWaking = std::chrono::milliseconds(50);
constexpr Duration kReadServing = std::chrono::milliseconds(500);
constexpr Duration kReadStandby = std::chrono::seconds(1);
// Repeats a reading that gets no answer, and the set-up of a device that failed.
constexpr Duration kReadWait = std::chrono::seconds(10);
constexpr Duration kRaiseAgain = std::chrono::seconds(1);

std::uint16_t waking_keepalive(const Peer& peer) {
    return peer.keepalive_s == 0 ? kWakingKeepalive_s : peer.keepalive_s;
}

}  // namespace

void WireguardPeers::log(LogLevel level, const std::string& text, Effects& effects) const {
    effects.emplace_back(effects::Log{level, fmt::format("{} {}", text, gateway_.tag())});
}

std::optional<Peer> WireguardPeers::peer_of(const Key& key) const {
    const replica::StoredRecord* const stored = replica().store().find(peer_record_of(key));
    const auto peer = stored == nullptr
                          ? std::nullopt
                          : std::optional(wireguard::parse_peer(key.octets, stored->payload));
    return peer && *peer ? std::optional(**peer) : std::nullopt;
}

std::vector<PublicKey> WireguardPeers::all_peers() const {
    std::vector<Key> keys;
    for (const auto& [record, stored] : replica().store().all(RecordType::wireguard_peer)) {
        if (const auto key = wireguard::parse_key(record.id.view())) {
            keys.push_back(*key);
        }
    }
    return keys;
}

void WireguardPeers::install(const replica::Install& wanted, TimePoint now, Effects& effects) {
    const auto refuse = [&](const Error& error) {
        refusals_[wanted.key] = error.detail;
        set_aside(gateway_, wanted, error.detail, now, effects);
    };
    refusals_.erase(wanted.key);
    if (wanted.key.type == RecordType::wireguard_peer) {
        auto peer = wireguard::parse_peer(wanted.key.id.view(), wanted.payload);
        if (!peer) {
            return refuse(peer.error());
        }
        const bool anew = is_standby();
        if (anew) {
            restart(peer->key);
        }
        effects.emplace_back(node::SetPeer{gateway_.id(), std::move(*peer), wanted.ticket, anew});
        return;
    }
    const auto key = wireguard::parse_key(wanted.key.id.view());
    const auto traffic = wireguard::parse_traffic(wanted.payload);
    if (!key || !traffic) {
        return refuse(!key ? key.error() : traffic.error());
    }
    ledger_.follow(*key, *traffic, now);
    replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed, now);
}

void WireguardPeers::remove(const wire::RecordKey& record, Effects& effects) {
    refusals_.erase(record);
    const auto key = wireguard::parse_key(record.id.view());
    if (key && record.type == RecordType::wireguard_peer) {
        queue_.close(*key);
        lively_.erase(*key);
        moved_.erase(*key);
        ledger_.forget(*key);
        effects.emplace_back(node::RemovePeer{gateway_.id(), *key});
    }
}

void WireguardPeers::follow(TimePoint now, Effects& effects) {
    if (gateway_.is_attached() && raise_at_ && now >= *raise_at_) {
        raise_at_.reset();
        read_at_ = now + kReadStandby;
        effects.emplace_back(node::RaiseDevice{gateway_.id()});
    }
    if (!serves_ || !replica().promoted()) {
        return;
    }
    publish_moves();
    if (loaded_in_ != replica().epoch()) {
        loaded_in_ = replica().epoch();
        listed_.clear();
        effects.emplace_back(node::LoadPeers{gateway_.id()});
    }
}

void WireguardPeers::promote(TimePoint now, Effects& effects) {
    if (!serves_) {
        on_open(now, effects);
    }
}

void WireguardPeers::on_addresses(Effects& effects) {
    uses_vip_ = false;
    effects.emplace_back(node::UseVip{gateway_.id(), true});
}

void WireguardPeers::on_open(TimePoint now, Effects& effects) {
    serves_ = true;
    std::vector<Key> keys = all_peers();
    ledger_.sort(keys);
    for (const Key& key : keys) {
        queue_.add(key);
    }
    wake_some(now, effects);
    // A reading that is under way is older.
    reading_.reset();
    read_at_ = now + kReadWaking;
    publish_at_ = now + limits::kTrafficPause;
}

void WireguardPeers::pause(Effects& effects) {
    serves_ = false;
    queue_.clear();
    tried_again_.clear();
    publish_at_.reset();
    std::vector<Keepalive> silent;
    for (const Key& key : std::exchange(lively_, {})) {
        silent.push_back({key, 0});
    }
    set_keepalives(std::move(silent), effects);
}

void WireguardPeers::mute(Effects& effects) {
    pause(effects);
    effects.emplace_back(node::UseVip{gateway_.id(), false});
    // The next node continues from the records; this node publishes nothing more.
    ledger_.forget_changes();
    moved_.clear();
    loaded_in_ = {};
    distrust_kernel();
}

void WireguardPeers::distrust_kernel() {
    for (const Key& key : all_peers()) {
        restart(key);
        replica().on_gone(peer_record_of(key));
    }
}

void WireguardPeers::restart(const Key& key) {
    reading_.reset();
    ledger_.restart(key);
}

void WireguardPeers::detach(Effects& effects) {
    mute(effects);
    raise_at_ = TimePoint{};
    effects.emplace_back(node::LowerDevice{gateway_.id()});
}

void WireguardPeers::set_keepalives(std::vector<Keepalive> keepalives, Effects& effects) {
    if (!keepalives.empty()) {
        effects.emplace_back(node::SetKeepalives{gateway_.id(), std::move(keepalives)});
    }
}

void WireguardPeers::wake_some(TimePoint now, Effects& effects) {
    std::vector<Keepalive> keepalives;
    while (const auto key = queue_.take(now)) {
        const auto peer = peer_of(*key);
        if (!peer || !peer->endpoint) {
            queue_.close(*key);  // It has never sent anything: it begins by itself.
            continue;
        }
        keepalives.push_back({*key, waking_keepalive(*peer)});
        lively_.insert(*key);
    }
    set_keepalives(std::move(keepalives), effects);
}

void WireguardPeers::try_again(TimePoint now, Effects& effects) {
    while (const auto key = queue_.take_again(now)) {
        // A peer that is added anew has no keys. After a lease that was claimed anew the kernel has
        // those of before.
        if (ledger_.has_keys(*key)) {
            continue;
        }
        if (auto peer = peer_of(*key)) {
            restart(*key);
            tried_again_.insert(*key);
            const std::uint16_t keepalive_s = waking_keepalive(*peer);
            effects.emplace_back(
                node::SetPeer{gateway_.id(), std::move(*peer), 0, true, keepalive_s});
        }
    }
}

void WireguardPeers::on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) {
    if (const auto* const own = event.get<node::WireguardEvent>()) {
        std::visit([&](const auto& each) { handle(each, now, effects); }, *own);
    }
}

void WireguardPeers::handle(const node::DeviceRaised& raised, TimePoint now, Effects& effects) {
    if (!raised.result) {
        raise_at_ = now + kRaiseAgain;
        log(LogLevel::error,
            fmt::format("there is no WireGuard device event=wireguard-device-failed: {}",
                        raised.result.error().detail),
            effects);
    }
}

void WireguardPeers::handle(const node::PeerSet& set, TimePoint now, Effects& effects) {
    const wire::RecordKey record = peer_record_of(set.key);
    const bool was_tried_again = tried_again_.erase(set.key) != 0;
    if (!gateway_.is_attached()) {
        return;
    }
    replica().on_installed(record, set.ticket,
                           set.result ? replica::Outcome::installed : replica::Outcome::refused,
                           now);
    if (!set.result) {
        refusals_[record] = set.result.error().detail;
        log(LogLevel::error,
            fmt::format("the kernel refused a peer event=quarantined peer={}: {}",
                        wireguard::to_string(set.key), set.result.error().detail),
            effects);
        return;
    }
    refusals_.erase(record);
    if (serves_ && !was_tried_again && !queue_.is_open(set.key)) {  // It is new.
        queue_.add(set.key);
        wake_some(now, effects);
    }
}

void WireguardPeers::handle(const node::PeersRead& read, TimePoint now, Effects& effects) {
    if (reading_ != read.ticket) {
        return;
    }
    bool were_tried = false;
    std::vector<Key> answered;
    for (const wireguard::PeerState& state : read.peers) {
        if (is_standby()) {
            were_tried = was_tried(state, now) || were_tried;
        } else if (has_answered(state, now)) {
            answered.push_back(state.key);
        }
    }
    if (read.is_last) {
        reading_.reset();
    }
    tally_.answered += answered.size();
    let_rest(answered, effects);
    if (were_tried) {
        gateway_.install_missing(now, effects);
    }
    if (serves_) {
        wake_some(now, effects);
    }
}

bool WireguardPeers::was_tried(const wireguard::PeerState& state, TimePoint now) {
    const wire::RecordKey record = peer_record_of(state.key);
    const bool has_sent = ledger_.read(state.key, state.traffic, std::nullopt, now).sent;
    if (!has_sent || replica().hold(record) != replica::Hold::installed) {
        return false;
    }
    ++tally_.tried_as_standby;
    replica().on_gone(record);
    return true;
}

bool WireguardPeers::has_answered(const wireguard::PeerState& state, TimePoint now) {
    if (state.endpoint && wireguard::is_reachable(*state.endpoint)) {
        moved_[state.key] = *state.endpoint;
    }
    const PeerLedger::News news =
        ledger_.read(state.key, state.traffic, gateway_.clock().at(now), now);
    if (news.sent) {
        queue_.on_sent(state.key);
    }
    return news.received && queue_.close(state.key);
}

void WireguardPeers::let_rest(const std::vector<Key>& keys, Effects& effects) {
    std::vector<Keepalive> keepalives;
    for (const Key& key : keys) {
        const auto peer = peer_of(key);
        keepalives.push_back({key, peer ? peer->keepalive_s : std::uint16_t{0}});
        if (keepalives.back().seconds == 0) {
            lively_.erase(key);
        }
    }
    set_keepalives(std::move(keepalives), effects);
}

void WireguardPeers::publish_moves() {
    for (const auto& [key, endpoint] : std::exchange(moved_, {})) {
        auto peer = peer_of(key);
        if (peer && peer->endpoint != endpoint) {
            ++tally_.roamed;
            peer->endpoint = endpoint;
            (void)replica().publish(peer_record_of(key), wireguard::encode_peer(*peer));
        }
    }
}

void WireguardPeers::handle(const node::DeviceGone&, TimePoint now, Effects& effects) {
    if (raise_at_) {
        return;  // It could not be raised.
    }
    log(LogLevel::error,
        "somebody removed the WireGuard device; it is made anew event=wireguard-device-gone",
        effects);
    raise_at_ = now;
    distrust_kernel();
    follow(now, effects);
    if (serves_) {
        pause(effects);
        for (const Key& key : all_peers()) {
            if (auto peer = peer_of(key)) {
                effects.emplace_back(node::SetPeer{gateway_.id(), std::move(*peer), 0, true});
            }
        }
        promote(now, effects);
    } else {
        gateway_.install_missing(now, effects);
    }
}

void WireguardPeers::handle(const node::PeersLoaded& loaded, TimePoint now, Effects& effects) {
    if (!serves_ || !replica().promoted() || loaded_in_ != replica().epoch()) {
        return;
    }
    for (const Peer& peer : loaded.peers) {
        listed_.insert(peer.key);
        adopt(peer, effects);
    }
    if (loaded.is_last) {
        drop_unlisted(now, effects);
    }
}

void WireguardPeers::adopt(const Peer& listed, Effects& effects) {
    const auto before = peer_of(listed.key);
    Peer peer = listed;
    if (before && before->endpoint) {
        peer.endpoint = before->endpoint;
    }
    if (before == peer) {
        return;
    }
    if (!replica().publish(peer_record_of(peer.key), wireguard::encode_peer(peer))) {
        log(LogLevel::error,
            fmt::format("a peer has no record, and is served by this node alone event=unprotected "
                        "peer={}: the gateway's records are too many",
                        wireguard::to_string(peer.key)),
            effects);
    }
    effects.emplace_back(node::SetPeer{gateway_.id(), std::move(peer), 0, false});
}

void WireguardPeers::drop_unlisted(TimePoint now, Effects& effects) {
    const std::set<Key> listed = std::exchange(listed_, {});
    for (const Key& key : all_peers()) {
        if (!listed.contains(key)) {
            gateway_.report_end(peer_record_of(key), EndCause::admin_reset, now);
            remove(peer_record_of(key), effects);
            replica().erase(peer_record_of(key), now);
            replica().erase(traffic_record_of(key), now);
        }
    }
}

void WireguardPeers::handle(const node::PeersUnreadable& unreadable, TimePoint, Effects& effects) {
    log(LogLevel::error,
        fmt::format("the file of peers cannot be read, and the peers of before are still served "
                    "event=wireguard-peers-unreadable: {}",
                    unreadable.why),
        effects);
}

void WireguardPeers::read_peers(TimePoint now, Effects& effects) {
    if (raise_at_ || !gateway_.is_attached() || now < read_at_) {
        return;
    }
    // A reading that is under way has to end first.
    read_at_ = now + (serves_ ? queue_.has_open() ? kReadWaking : kReadServing : kReadStandby);
    if (reading_ && now < read_until_) {
        return;
    }
    reading_ = ++last_ticket_;
    read_until_ = now + kReadWait;
    effects.emplace_back(node::ReadPeers{gateway_.id(), *reading_});
}

void WireguardPeers::on_time(TimePoint now, Effects& effects) {
    std::vector<Key> overdue;
    while (const auto key = queue_.take_overdue(now)) {
        overdue.push_back(*key);
    }
    tally_.unanswered += overdue.size();
    let_rest(overdue, effects);
    if (serves_) {
        try_again(now, effects);
        wake_some(now, effects);
    }
    read_peers(now, effects);
    publish_traffic(now, effects);
}

std::optional<TimePoint> WireguardPeers::next_deadline() const {
    if (!gateway_.is_attached()) {
        return std::nullopt;
    }
    return earliest(earliest(raise_at_ ? raise_at_ : read_at_, publish_at_),
                    queue_.next_deadline());
}

}  // namespace vpnha::keepers
