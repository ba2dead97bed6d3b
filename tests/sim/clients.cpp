// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/clients.hpp"

#include <algorithm>

#include "protocols/l2tp/keeper/sessions.hpp"
#include "protocols/pptp/keeper/calls.hpp"
#include "sim/kernel.hpp"

namespace vpnha::sim {

namespace {

bool is_of(const wire::RecordKey& key, const l2tp::TunnelKey& tunnel) {
    return key.type == wire::RecordType::l2tp_session && l2tp_key(key).tunnel == tunnel;
}

}  // namespace

wire::RecordKey Clients::dial(GatewayId gateway, bool poison, bool refused, bool resumable) {
    const std::uint16_t number = next_++;
    l2tp::SessionRecord record = test::session_record(number);
    // Calls of PPTP come behind.
    const auto end = sessions_.lower_bound({wire::RecordType::pptp_call, {}});
    const bool second = end != sessions_.begin() && random_.chance(20) &&
                        std::prev(end)->second.gateway == gateway && std::prev(end)->second.alive;
    if (second) {
        record.key.tunnel = l2tp_key(std::prev(end)->first).tunnel;
    } else {
        record.key.tunnel.local.address.value += gateway.value;
        record.key.tunnel.peer.address = Ipv4Address{0xc6330000U + number};
        record.key.tunnel.id = TunnelId{number};
        record.key.tunnel.peer_id = TunnelId{static_cast<std::uint16_t>(number + 7)};
        // Where the stock daemon's numbers stand is anywhere, next to a wrap too.
        tunnels_[record.key.tunnel] = {l2tp::Seq16{random_.u16()}, l2tp::Seq16{random_.u16()}, {}};
    }
    record.facts.echo_interval_s = random_.chance(20) ? 5 : 0;
    if (poison) {
        record.facts.peer_address = Ipv4Address{0xe0000001};  // Multicast: nobody parses it.
    }
    if (refused) {
        record.facts.user = kRefusedUser;
    }
    return put(gateway, record, resumable, refused);
}

wire::RecordKey Clients::put(GatewayId gateway, const Negotiated& record, bool resumable,
                             bool refused) {
    const wire::RecordKey key =
        std::visit([](const auto& each) { return node::stock_session(each).record; }, record);
    sessions_[key] = Session{gateway, record, resumable, true, refused};
    return key;
}

const Session& Clients::negotiate_again(const wire::RecordKey& key) {
    Session& session = sessions_.at(key);
    auto* const call = std::get_if<node::StockCall>(&session.record);
    ++(call == nullptr ? std::get<l2tp::SessionRecord>(session.record).facts.established_unix_ms
                       : call->record.facts.established_unix_ms);
    return session;
}

void Clients::hang_up(const wire::RecordKey& key) {
    const auto found = sessions_.find(key);
    if (found != sessions_.end()) {
        found->second.alive = false;
    }
}

const Session* Clients::find(const wire::RecordKey& key) const {
    const auto found = sessions_.find(key);
    return found == sessions_.end() ? nullptr : &found->second;
}

bool Clients::is_alive(const l2tp::TunnelKey& tunnel) const {
    return std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& each) {
        return each.second.alive && is_of(each.first, tunnel);
    });
}

bool Clients::is_shared(const l2tp::TunnelKey& tunnel) const {
    return tunnels_.at(tunnel).emitted || tunnels_.at(tunnel).calling ||
           std::count_if(sessions_.begin(), sessions_.end(),
                         [&](const auto& each) { return is_of(each.first, tunnel); }) > 1;
}

Bytes Clients::emit(Tunnel& tunnel, test::L2tpPacket packet) {
    tunnel.emitted = {tunnel.ns, std::move(packet)};
    tunnel.ns = advance(tunnel.ns, 1);
    return bytes_of(tunnel);
}

Bytes Clients::bytes_of(const Tunnel& tunnel) {
    test::L2tpPacket packet = tunnel.emitted->packet;
    return packet.numbers(tunnel.emitted->ns.value, tunnel.expected.value).bytes();
}

std::optional<Bytes> Clients::begin_call(const l2tp::TunnelKey& key) {
    Tunnel& tunnel = tunnels_.at(key);
    if (!is_alive(key) || tunnel.emitted || tunnel.calling) {
        return std::nullopt;
    }
    tunnel.calling = SessionId{next_++};
    return emit(
        tunnel,
        test::L2tpPacket(l2tp::MessageType::icrq).to(key.id.value).u16(14, tunnel.calling->value));
}

std::optional<Bytes> Clients::repeat(const l2tp::TunnelKey& key) const {
    const Tunnel& tunnel = tunnels_.at(key);
    return tunnel.emitted && is_alive(key) ? std::optional(bytes_of(tunnel)) : std::nullopt;
}

std::optional<wire::RecordKey> Clients::connect(GatewayId gateway, const l2tp::SessionKey& call) {
    Tunnel& tunnel = tunnels_.at(call.tunnel);
    if (tunnel.calling != call.peer_id || !is_alive(call.tunnel)) {
        return std::nullopt;
    }
    tunnel.calling.reset();
    l2tp::SessionRecord record = test::session_record(call.peer_id.value);
    record.key = call;
    record.facts.echo_interval_s = random_.chance(20) ? 5 : 0;
    return put(gateway, record, true, false);
}

void Clients::give_up_call(const l2tp::TunnelKey& key, std::uint16_t number) {
    Tunnel& tunnel = tunnels_.at(key);
    if (tunnel.calling == SessionId{number}) {
        tunnel.calling.reset();
    }
}

bool Clients::can_be_there(const wire::RecordKey& key, ByteView record) const {
    const Session* session = find(key);
    if (session != nullptr && session->alive) {
        return is_readable(key, record);
    }
    if (key.type == wire::RecordType::pptp_call) {
        return false;
    }
    const auto parsed = l2tp::parse_record(record);
    return parsed && parsed->facts.echo_interval_s == 0 && is_alive(parsed->key.tunnel);
}

std::optional<Bytes> Clients::on_datagram(const l2tp::TunnelKey& key, const Bytes& bytes,
                                          bool has_just_thawed) {
    const auto found = tunnels_.find(key);
    const test::L2tpSent message = test::open_datagram(bytes);
    if (found == tunnels_.end() || !is_alive(key)) {
        return std::nullopt;
    }
    Tunnel& tunnel = found->second;
    if (tunnel.emitted && distance(message.header.nr, tunnel.emitted->ns) == 1) {
        tunnel.emitted.reset();
    }
    if (!message.type) {
        return std::nullopt;
    }
    const int ahead = distance(message.header.ns, tunnel.expected);
    if (ahead > 0) {
        return std::nullopt;
    }
    const std::uint16_t ns = message.header.ns.value;
    if (ahead == 0) {
        tunnel.accepted[ns] = message.avps;
        tunnel.expected = advance(tunnel.expected, 1);
        if (message.type == l2tp::MessageType::stopccn) {
            for (auto& [session, state] : sessions_) {
                state.alive = state.alive && !is_of(session, key);
            }
        } else if (message.type == l2tp::MessageType::cdn) {
            for (auto& [record, state] : sessions_) {
                state.alive = state.alive && !(is_of(record, key) &&
                                               l2tp_key(record).peer_id == message.header.session);
            }
            give_up_call(key, message.header.session.value);
        } else if (message.type == l2tp::MessageType::icrp &&
                   tunnel.calling == message.header.session && message.assigned_session) {
            return emit(tunnel, test::L2tpPacket(l2tp::MessageType::iccn)
                                    .to(key.id.value, *message.assigned_session));
        }
    } else if (message.type != l2tp::MessageType::hello && !has_just_thawed) {
        const auto accepted = tunnel.accepted.find(ns);
        if (accepted == tunnel.accepted.end() || accepted->second != message.avps) {
            reused_ = to_string(*message.type) + " at " + std::to_string(ns);
        }
    }
    return test::L2tpPacket()
        .to(key.id.value)
        .numbers(tunnel.ns.value, tunnel.expected.value)
        .bytes();
}

std::optional<Bytes> Clients::on_frame(const l2tp::SessionKey& key, const Bytes& bytes) const {
    const Session* session = find(node::record_key_of(key));
    const test::Frame frame = test::open_frame(bytes);
    if (session == nullptr || !session->alive || frame.code != ppp::Code::echo_request) {
        return std::nullopt;
    }
    ByteWriter magic;
    magic.u32(std::get<l2tp::SessionRecord>(session->record).facts.theirs.magic);
    return test::lcp(ppp::Code::echo_reply, frame.id, std::move(magic).take());
}

Bytes Clients::emit_goodbye(const l2tp::SessionKey& key) {
    Tunnel& tunnel = tunnels_.at(key.tunnel);
    const Bytes bytes = test::L2tpPacket(l2tp::MessageType::cdn)
                            .to(key.tunnel.id.value, key.id.value)
                            .numbers(tunnel.ns.value, tunnel.expected.value)
                            .u16(1, 1)
                            .u16(14, key.peer_id.value)
                            .bytes();
    tunnel.ns = advance(tunnel.ns, 1);
    hang_up(node::record_key_of(key));
    return bytes;
}

}  // namespace vpnha::sim
