// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/call_observer.hpp"

#include <algorithm>

#include "protocols/pptp/model/limits.hpp"

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
// A successor makes a key for each index up to the recorded one, at 1 us a key. Our own numbers are
// bounded by our sending rate.
constexpr std::uint32_t kOurDistanceMax = 0x7fff'ffff;
constexpr std::uint32_t kPeersDistanceMax = 131'072;
// A peer that acknowledges does so with its next packet, or within half a second.
constexpr std::uint32_t kUnacknowledging = 32;
// The greatest jump of the peer's numbers; the first number is near 0 (RFC 2637 4.1).
constexpr std::uint32_t kNear = 2'048;
constexpr std::uint32_t kFirstMax = 65'536;
constexpr std::uint32_t kAcknowledgedNear = 65'536;
// If the last number is higher than our acknowledgement by so much, the acknowledgement counts.
constexpr std::uint32_t kWrong = 32'768;
// Octets on the control connection that a peer may acknowledge again.
constexpr std::uint32_t kSentBefore = 65'536;

bool is_ahead(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) > 0;
}

bool is_within(std::uint32_t a, std::uint32_t b, std::uint32_t distance) {
    return a - b <= distance || b - a <= distance;
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

// Each packet of MPPE has a GRE number, and few packets that were not captured were without MPPE.
// So the index is the largest one with this count that the distance in GRE numbers allows. If that
// is too large, as for a forged packet, only the count is used.
void CallObserver::advance(Index& index, std::uint32_t sequence, std::uint16_t coherency,
                           std::uint32_t distance_max) {
    std::uint64_t ahead = (coherency - index.next) % kCoherencyCounts;
    if (index.gre) {
        const std::uint32_t distance = sequence - *index.gre - index.others;
        if (!is_ahead(sequence, *index.gre + index.others) || ahead >= distance) {
            return;  // An old packet, or one of another link.
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

CallObserver::Noted CallObserver::on_packet(const ObservedPacket& packet, Way way, TimePoint now) {
    if (const auto* const segment = std::get_if<ObservedSegment>(&packet)) {
        return on_segment(*segment, way == Way::out, now);
    }
    on_gre(std::get<ObservedGre>(packet), way == Way::out);
    return {};
}

CallObserver::Noted CallObserver::on_segment(const ObservedSegment& segment, bool out,
                                             TimePoint now) {
    if ((out ? segment.from : segment.to) != Ipv4Endpoint{vip_, kPptpPort}) {
        return {};
    }
    const Ipv4Endpoint peer = out ? segment.to : segment.from;
    const bool is_syn = (segment.flags & Segment::kSyn) != 0;
    if (is_syn && !out) {
        on_syn(peer, segment, now);
        return {.news = News::none, .peer = peer};
    }
    const auto found = connections_.find(peer);
    if (found == connections_.end()) {
        return {};
    }
    Connection& connection = found->second;
    if (is_syn) {
        on_syn_acknowledged(segment, connection, now);
        return {.news = News::none, .peer = peer};
    }
    if (out ? !is_ours(segment, connection) : !is_expected(segment, connection)) {
        return {};
    }
    Noted noted{.news = News::none, .peer = peer};
    if (!out && !connection.established && (segment.flags & Segment::kAck) != 0 &&
        !is_ahead(connection.begin, segment.ack) && !is_ahead(segment.ack, connection.ours.next)) {
        connection.established = true;
        noted.news = News::begins;
    }
    if (connection.established && connection.forget_at) {
        set_idle(peer, connection, now + kWithoutCallPause);
    }
    take_segment(segment, out ? connection.ours : connection.theirs, now);
    const bool ends = (segment.flags & (Segment::kFin | Segment::kRst)) != 0;
    connection.hung_up = connection.hung_up || (!out && (segment.flags & Segment::kFin) != 0);
    if (ends && !out && connection.established) {
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

CallObserver::Side CallObserver::side_of_syn(const ObservedSegment& segment, TimePoint now) {
    Side side;
    side.mss = segment.mss.value_or(side.mss);
    side.scale = segment.window_scale;
    side.sack = segment.sack_permitted;
    take_segment(segment, side, now);
    return side;
}

void CallObserver::take_segment(const ObservedSegment& segment, Side& side, TimePoint now) {
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
}

void CallObserver::on_syn(const Ipv4Endpoint& peer, const ObservedSegment& segment, TimePoint now) {
    forget_idle(now);
    if ((segment.flags & Segment::kAck) != 0) {
        return;
    }
    const auto known = connections_.find(peer);
    if (known == connections_.end() && connections_.size() >= kConnectionsMax) {
        ++evicted_;
        if (idle_.empty()) {
            return;
        }
        erase(connections_.find(idle_.begin()->second));
    }
    Connection& connection = connections_[peer];
    connection.asked = side_of_syn(segment, now);
    if (!connection.established && !has_call(peer)) {
        set_idle(peer, connection, now + kHandshakePause);
    }
}

void CallObserver::on_syn_acknowledged(const ObservedSegment& segment, Connection& connection,
                                       TimePoint now) {
    if (!connection.asked || connection.asked->next != segment.ack) {
        return;
    }
    const Side theirs = *connection.asked;
    const auto forget_at = connection.forget_at;
    connection = Connection{};
    connection.forget_at = forget_at;
    connection.theirs = theirs;
    connection.ours = side_of_syn(segment, now);
    connection.begin = segment.end;
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

bool CallObserver::is_ours(const ObservedSegment& segment, const Connection& connection) {
    const Side& ours = connection.ours;
    return ours.seen &&
           segment.seq - (ours.next - kSentBefore) <= kSentBefore + limits::kPptpStreamLagMax;
}

bool CallObserver::is_expected(const ObservedSegment& segment, const Connection& connection) {
    const Side& ours = connection.ours;
    const std::uint32_t ahead = segment.seq - ours.acknowledged;
    if (!ours.seen) {
        return false;
    }
    if ((segment.flags & Segment::kRst) != 0) {
        return ahead <= connection.theirs.next - ours.acknowledged;
    }
    // The capture may have lost our last segments.
    const std::uint32_t acknowledged = segment.ack - (ours.next - kSentBefore);
    return ahead <= limits::kPptpStreamLagMax &&
           ((segment.flags & Segment::kAck) == 0 ||
            acknowledged <= kSentBefore + limits::kPptpStreamLagMax);
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
    } else if ((type == kStopRequest || type == kCallClear) && !out) {
        connection.hung_up = true;
        connection.stop_open = connection.stop_open || type == kStopRequest;
    }
    return type == kStopRequest || type == kCallClear || type == kCallDisconnect ? News::end_meant
                                                                                 : News::none;
}

void CallObserver::on_sent_on(const ObservedGre& packet) {
    const auto found = incoming_.find({packet.from, packet.call});
    if (found == incoming_.end() || !packet.sequence) {
        return;
    }
    Call& call = *found->second;
    const std::uint32_t sequence = *packet.sequence;
    const bool has_come = call.gre_in && !is_ahead(sequence, *call.gre_in);
    const bool was_taken = call.acknowledged && !is_ahead(sequence, *call.acknowledged);
    if (!has_come || was_taken) {
        return;
    }
    Received& taken =
        call.sent_on ? *call.sent_on : call.sent_on.emplace(*call.gre_in, call.mppe_in);
    if (is_ahead(taken.gre, sequence - 1)) {
        taken.gre = sequence - 1;
    }
    const std::uint64_t back =
        packet.coherency ? (taken.mppe.next - *packet.coherency) % kCoherencyCounts : 0;
    if (back != 0 && back < kCoherencyCounts / 2 && back <= taken.mppe.next) {
        taken.mppe = {.next = taken.mppe.next - back, .gre = sequence - 1, .others = 0};
    }
    call.changed = true;
}

void CallObserver::on_gre(const ObservedGre& packet, bool out) {
    if (out && packet.to == vip_) {
        on_sent_on(packet);
        return;
    }
    if ((out ? packet.from : packet.to) != vip_) {
        return;
    }
    const auto& calls = out ? outgoing_ : incoming_;
    const auto found = calls.find({out ? packet.to : packet.from, packet.call});
    if (found == calls.end()) {
        return;
    }
    Call& call = *found->second;
    if (out) {
        if (packet.acknowledged) {
            take_acknowledged(call, *packet.acknowledged);
        }
    } else if (!is_believed(call, packet)) {
        return;
    } else {
        const bool acknowledges = packet.acknowledged && call.gre_out &&
                                  is_within(*packet.acknowledged, *call.gre_out, kAcknowledgedNear);
        call.acknowledges = call.acknowledges || acknowledges;
        call.unacknowledging += call.gre_out && packet.sequence && !call.acknowledges ? 1 : 0;
    }
    if (packet.sequence) {
        take_number(call, packet, out);
    }
}

bool CallObserver::is_believed(const Call& call, const ObservedGre& packet) {
    if (!packet.sequence) {
        return true;
    }
    return call.gre_in ? is_within(*packet.sequence, *call.gre_in, kNear)
                       : *packet.sequence <= kFirstMax;
}

void CallObserver::take_acknowledged(Call& call, std::uint32_t number) {
    follow_number(call.acknowledged, number);
    if (call.sent_on && is_ahead(number, call.sent_on->gre)) {
        call.sent_on.reset();
    }
    if (!call.gre_in || is_ahead(number, *call.gre_in) || is_ahead(*call.gre_in, number + kWrong)) {
        call.gre_in = number;
        call.changed = true;
    }
}

void CallObserver::take_number(Call& call, const ObservedGre& packet, bool out) {
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
        // A newer call of the same ids has replaced it.
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
    numbers.gre_in = call.sent_on ? call.sent_on->gre : call.gre_in.value_or(0);
    numbers.mppe_out = call.mppe_out.next;
    numbers.mppe_in = (call.sent_on ? call.sent_on->mppe : call.mppe_in).next;
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
