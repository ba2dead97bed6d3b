// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/pptp/call_observer.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

using Segment = ObservedSegment;

// RFC 2637 2.
constexpr std::uint32_t kCookie = 0x1a2b3c4d;
constexpr std::uint16_t kStopRequest = 3;
constexpr std::uint16_t kEchoRequest = 5;
constexpr std::uint16_t kEchoReply = 6;
constexpr std::uint16_t kCallClear = 12;
constexpr std::uint16_t kCallDisconnect = 13;

constexpr std::uint64_t kCoherencyCounts = 4096;
// A successor makes a key for each index up to the recorded one, at 1 us a key. What we send is
// bounded by what we can send.
constexpr std::uint32_t kOurDistanceMax = 0x7fff'ffff;
constexpr std::uint32_t kPeersDistanceMax = 131'072;
// A peer that acknowledges does so with its next packet, or within half a second.
constexpr std::uint32_t kUnacknowledging = 32;

bool is_ahead(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) > 0;
}

// Whether it is higher than those before.
bool follow_number(std::optional<std::uint32_t>& number, std::uint32_t seen) {
    if (number && !is_ahead(seen, *number)) {
        return false;
    }
    number = seen;
    return true;
}

}  // namespace

// Each packet of MPPE has a GRE number, and few of those that were not captured had one without
// MPPE. So the index is the largest one with this count that the distance in GRE numbers allows.
// Where that is too large to be believed, as a forged packet's, the count alone has to do.
void CallObserver::advance(Index& index, std::uint32_t sequence, std::uint16_t coherency,
                           std::uint32_t distance_max) {
    std::uint64_t ahead = (coherency - index.next) % kCoherencyCounts;
    if (index.gre) {
        const std::uint32_t distance = sequence - *index.gre - index.others;
        if (!is_ahead(sequence, *index.gre + index.others) || ahead >= distance) {
            return;  // An old packet, or none of this link.
        }
        if (distance <= distance_max) {
            ahead += (distance - 1 - ahead) / kCoherencyCounts * kCoherencyCounts;
        }
    } else if (ahead >= kCoherencyCounts / 2) {
        return;
    }
    index.next += ahead + 1;
    index.gre = sequence;
    index.others = 0;
}

CallObserver::Noted CallObserver::on_packet(const ObservedPacket& packet, TimePoint now) {
    if (const auto* const segment = std::get_if<ObservedSegment>(&packet)) {
        return on_segment(*segment, now);
    }
    on_gre(std::get<ObservedGre>(packet));
    return {};
}

CallObserver::Noted CallObserver::on_segment(const ObservedSegment& segment, TimePoint now) {
    const bool out = segment.from == Ipv4Endpoint{vip_, kPptpPort};
    if (!out && segment.to != Ipv4Endpoint{vip_, kPptpPort}) {
        return {};
    }
    const Ipv4Endpoint peer = out ? segment.to : segment.from;
    Noted noted{.news = News::none, .peer = peer};
    if (!out && (segment.flags & (Segment::kSyn | Segment::kAck)) == Segment::kSyn &&
        !begin(peer, now)) {
        return {};
    }
    const auto found = connections_.find(peer);
    if (found == connections_.end()) {
        return {};
    }
    Connection& connection = found->second;
    Side& side = out ? connection.ours : connection.theirs;
    if ((segment.flags & Segment::kSyn) != 0) {
        side = Side{};
        side.mss = segment.mss.value_or(side.mss);
        side.scale = segment.window_scale;
        side.sack = segment.sack_permitted;
        connection.begin = out ? segment.end : connection.begin;
    } else if (!out && !connection.established && connection.ours.seen &&
               (segment.flags & Segment::kAck) != 0 && !is_ahead(connection.begin, segment.ack) &&
               !is_ahead(segment.ack, connection.ours.next)) {
        connection.established = true;
        noted.news = News::begins;
    }
    if (connection.established && connection.forget_at) {
        set_idle(peer, connection, now + kWithoutCallPause);
    }
    if (!side.seen || is_ahead(segment.end, side.next)) {
        side.next = segment.end;
    }
    side.seen = true;
    side.window = segment.window;
    if ((segment.flags & Segment::kAck) != 0) {
        side.acknowledged = segment.ack;
    }
    if (segment.tsval) {
        side.tsval = segment.tsval;
        side.tsval_at = now;
    }
    side.finished = side.finished || (segment.flags & Segment::kFin) != 0;
    if (!out && (segment.flags & Segment::kFin) != 0 && is_expected(segment, connection)) {
        connection.hung_up = true;
    }
    if ((segment.flags & (Segment::kFin | Segment::kRst)) != 0 && !out) {
        noted.news = News::end_meant;
    } else if (const News news = on_message(segment, out, connection); news != News::none) {
        noted.news = news;
    }
    for (auto call = first_call_of(peer); call != calls_.end() && call->first.peer == peer;
         ++call) {
        call->second.changed = true;
    }
    connection.reset = connection.reset || (segment.flags & Segment::kRst) != 0;
    drop_if_over(peer);
    return noted;
}

bool CallObserver::begin(const Ipv4Endpoint& peer, TimePoint now) {
    forget_idle(now);
    const auto known = connections_.find(peer);
    if (known == connections_.end() && connections_.size() >= kConnectionsMax) {
        ++evicted_;
        if (idle_.empty()) {
            return false;
        }
        erase(connections_.find(idle_.begin()->second));
    }
    Connection& connection = connections_[peer];
    set_idle(peer, connection, std::nullopt);
    connection = Connection{};
    if (!has_call(peer)) {
        set_idle(peer, connection, now + kHandshakePause);
    }
    return true;
}

void CallObserver::erase(std::map<Ipv4Endpoint, Connection>::iterator connection) {
    set_idle(connection->first, connection->second, std::nullopt);
    connections_.erase(connection);
}

void CallObserver::forget_idle(TimePoint now) {
    while (!idle_.empty() && idle_.begin()->first <= now) {
        erase(connections_.find(idle_.begin()->second));
    }
}

void CallObserver::set_idle(const Ipv4Endpoint& peer, Connection& connection,
                            std::optional<TimePoint> until) {
    if (connection.forget_at) {
        idle_.erase({*connection.forget_at, peer});
    }
    connection.forget_at = until;
    if (until) {
        idle_.emplace(*until, peer);
    }
}

std::map<pptp::CallKey, CallObserver::Call>::iterator CallObserver::first_call_of(
    const Ipv4Endpoint& peer) {
    return calls_.lower_bound({{vip_, kPptpPort}, peer, {}, {}});
}

bool CallObserver::has_call(const Ipv4Endpoint& peer) {
    const auto call = first_call_of(peer);
    return call != calls_.end() && call->first.peer == peer;
}

void CallObserver::drop_if_over(const Ipv4Endpoint& peer) {
    const auto found = connections_.find(peer);
    if (found == connections_.end()) {
        return;
    }
    const Connection& connection = found->second;
    const bool over = connection.reset || (connection.ours.finished && connection.theirs.finished);
    if (over && !has_call(peer)) {
        erase(found);
    }
}

bool CallObserver::is_expected(const ObservedSegment& segment, const Connection& connection) {
    return segment.seq - connection.ours.acknowledged <= limits::kPptpStreamLagMax;
}

// One segment is one message, or none: they are short, and TCP sends each at once.
CallObserver::News CallObserver::on_message(const ObservedSegment& segment, bool out,
                                            Connection& connection) {
    ByteReader message(segment.payload);
    message.u16();
    message.u16();
    const std::uint32_t cookie = message.u32();
    const std::uint16_t type = message.u16();
    message.u16();
    const std::uint32_t id = message.u32();
    if (!message.ok() || cookie != kCookie) {
        return News::none;
    }
    if (type == kEchoRequest && !out) {
        connection.echo_id = id;
        connection.echo_open = true;
    } else if (type == kEchoReply && out && id == connection.echo_id) {
        connection.echo_open = false;
    } else if ((type == kStopRequest || type == kCallClear) && !out &&
               is_expected(segment, connection)) {
        connection.hung_up = true;
        connection.stop_open = connection.stop_open || type == kStopRequest;
    }
    return type == kStopRequest || type == kCallClear || type == kCallDisconnect ? News::end_meant
                                                                                 : News::none;
}

void CallObserver::on_gre(const ObservedGre& packet) {
    const bool out = packet.from == vip_;
    if (!out && packet.to != vip_) {
        return;
    }
    const auto& calls = out ? outgoing_ : incoming_;
    const auto found = calls.find({out ? packet.to : packet.from, packet.call});
    if (found == calls.end()) {
        return;
    }
    Call& call = *found->second;
    if (!out) {
        call.acknowledges = call.acknowledges || packet.acknowledges;
        call.unacknowledging += call.gre_out && !call.acknowledges ? 1 : 0;
    }
    if (!packet.sequence) {
        return;
    }
    const bool is_new = follow_number(out ? call.gre_out : call.gre_in, *packet.sequence);
    Index& index = out ? call.mppe_out : call.mppe_in;
    if (packet.coherency) {
        advance(index, *packet.sequence, *packet.coherency,
                out ? kOurDistanceMax : kPeersDistanceMax);
    } else if (is_new && index.gre) {
        ++index.others;
    }
    if (out) {
        sent_unread_ = std::max(sent_unread_, ++call.sent);
    }
    call.changed = true;
}

std::optional<pptp::TcpOptions> CallObserver::options_of(const Ipv4Endpoint& peer) const {
    const auto found = connections_.find(peer);
    if (found == connections_.end() || !found->second.ours.seen || !found->second.theirs.seen) {
        return std::nullopt;
    }
    const Side& ours = found->second.ours;
    const Side& theirs = found->second.theirs;
    const bool scaling = ours.scale.has_value() && theirs.scale.has_value();
    return pptp::TcpOptions{.mss = std::min(ours.mss, theirs.mss),
                            .window_scaling = scaling,
                            .our_scale = scaling ? *ours.scale : std::uint8_t{0},
                            .peer_scale = scaling ? *theirs.scale : std::uint8_t{0},
                            .sack = ours.sack && theirs.sack,
                            .timestamps = ours.tsval.has_value() && theirs.tsval.has_value()};
}

void CallObserver::follow(const pptp::CallKey& key) {
    Call& call = calls_[key];
    call.key = key;
    call.changed = true;
    incoming_[{key.peer.address, key.id.value}] = &call;
    outgoing_[{key.peer.address, key.peer_id.value}] = &call;
    if (const auto found = connections_.find(key.peer); found != connections_.end()) {
        set_idle(key.peer, found->second, std::nullopt);
    }
}

void CallObserver::forget(const pptp::CallKey& key, TimePoint now) {
    const auto found = calls_.find(key);
    if (found == calls_.end()) {
        return;
    }
    const auto erase = [&found](auto& calls, const Direction& direction) {
        // A newer call of the same ids has taken its place.
        if (const auto at = calls.find(direction);
            at != calls.end() && at->second == &found->second) {
            calls.erase(at);
        }
    };
    erase(incoming_, {key.peer.address, key.id.value});
    erase(outgoing_, {key.peer.address, key.peer_id.value});
    calls_.erase(found);
    const auto connection = connections_.find(key.peer);
    if (connection != connections_.end() && !has_call(key.peer)) {
        set_idle(key.peer, connection->second, now + kWithoutCallPause);
    }
    drop_if_over(key.peer);
}

pptp::CallState CallObserver::state_of(const Call& call, TimePoint now) const {
    pptp::CallState state{.key = call.key, .numbers = {}};
    pptp::CallNumbers& numbers = state.numbers;
    numbers.never_acknowledges = !call.acknowledges && call.unacknowledging >= kUnacknowledging;
    numbers.gre_out = call.gre_out.value_or(0);
    numbers.gre_in = call.gre_in.value_or(0);
    numbers.mppe_out = call.mppe_out.next;
    numbers.mppe_in = call.mppe_in.next;
    const auto found = connections_.find(call.key.peer);
    if (found == connections_.end()) {
        return state;
    }
    const Connection& connection = found->second;
    numbers.snd_nxt = connection.ours.next;
    numbers.rcv_nxt = connection.ours.acknowledged;
    numbers.snd_wnd = std::uint32_t{connection.theirs.window}
                      << (connection.ours.scale ? connection.theirs.scale.value_or(0) : 0);
    if (connection.ours.tsval) {
        const auto age =
            std::chrono::duration_cast<std::chrono::milliseconds>(now - connection.ours.tsval_at);
        numbers.tsval = *connection.ours.tsval + static_cast<std::uint32_t>(age.count());
    }
    numbers.peer_tsval = connection.theirs.tsval.value_or(0);
    numbers.echo_id = connection.echo_id;
    numbers.echo_open = connection.echo_open;
    numbers.hung_up = connection.hung_up;
    numbers.stop_open = connection.stop_open;
    return state;
}

std::vector<pptp::CallState> CallObserver::take_changed(TimePoint now) {
    forget_idle(now);
    std::vector<pptp::CallState> states;
    for (auto& [key, call] : calls_) {
        if (call.changed) {
            states.push_back(state_of(call, now));
            call.changed = false;
            call.sent = 0;
        }
    }
    sent_unread_ = 0;
    return states;
}

pptp::CallNumbers CallObserver::numbers_of(const pptp::CallKey& key, TimePoint now) const {
    const auto found = calls_.find(key);
    return found == calls_.end() ? pptp::CallNumbers{} : state_of(found->second, now).numbers;
}

std::vector<pptp::CallState> CallObserver::all(TimePoint now) const {
    std::vector<pptp::CallState> states;
    states.reserve(calls_.size());
    for (const auto& [key, call] : calls_) {
        states.push_back(state_of(call, now));
    }
    return states;
}

}  // namespace vpnha::adapters
