// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/callers.hpp"

#include <algorithm>

#include "protocols/pptp/keeper/calls.hpp"
#include "protocols/pptp/model/control_message.hpp"
#include "sim/kernel.hpp"

namespace vpnha::sim {

namespace {

using Kind = pptp::test::ModelClient::Kind;

// A node that resumes a call makes all its keys: of more a run takes too long.
constexpr std::size_t kEncryptedMax = 3;

}  // namespace

wire::RecordKey Callers::dial(GatewayId gateway, bool poison, bool refused, bool resumable) {
    const std::uint16_t number = next_++;
    pptp::CallRecord record = pptp::test::sample_call();
    record.key.local.address.value += gateway.value;
    record.key.peer = {Ipv4Address{0xc6340000U + number}, 40123};
    record.key.id = pptp::CallId{number};
    record.key.peer_id = pptp::CallId{static_cast<std::uint16_t>(number + 7)};
    record.facts.peer_address = Ipv4Address{poison ? 0xe0000001U : 0x0ac90000U + number};
    record.facts.timeouts = {};
    record.facts.proxied.clear();
    record.facts.echo_interval_s = random_.chance(20) ? 20 : 0;
    if (refused) {
        record.facts.user = kRefusedUser;
    }
    const auto encrypted = std::ranges::count_if(callers_, [this](const auto& each) {
        return lives(each.first) && each.second.is_encrypted;
    });
    if (static_cast<std::size_t>(encrypted) >= kEncryptedMax || random_.chance(50)) {
        record.mppe = pptp::Mppe::none;
        record.sealed_keys.clear();
    }
    const Kind kind = random_.chance(60) ? Kind::unbuffered : Kind::kernel;
    Caller& caller =
        callers_.emplace(record.key, Caller({kind, record.mppe, record.key})).first->second;
    caller.received = random_.u32();
    caller.sent = random_.u32();
    caller.is_encrypted = record.mppe != pptp::Mppe::none;
    // Where the stock daemon's numbers stand is anywhere, next to a wrap too.
    const std::uint32_t from = random_.chance(50) ? 20 : 0U - random_.u16();
    caller.client.start_at(from, random_.u16());
    pptp::CallNumbers numbers;
    numbers.snd_nxt = caller.received;
    numbers.rcv_nxt = caller.sent;
    numbers.snd_wnd = 65536;
    numbers.gre_out = from;
    numbers.gre_in = caller.client.last_sent();
    return clients_.put(gateway, node::StockCall{record, numbers}, resumable, refused);
}

bool Callers::lives(const pptp::CallKey& key) const {
    const Session* const session = clients_.find(node::record_key_of(key));
    return session != nullptr && session->alive;
}

std::vector<FromCaller> Callers::take_sent(Caller& caller) {
    std::vector<FromCaller> sent;
    for (Bytes& packet : std::exchange(caller.client.sent, {})) {
        sent.push_back({std::move(packet), caller.is_encrypted ? caller.data : 0});
    }
    caller.client.data.clear();
    return sent;
}

std::vector<FromCaller> Callers::talk(const pptp::CallKey& key, TimePoint now) {
    Caller& caller = callers_.at(key);
    caller.client.send_data(++caller.data, now);
    return take_sent(caller);
}

std::vector<FromCaller> Callers::on_gre(const pptp::CallKey& key, ByteView gre, TimePoint now) {
    if (!lives(key)) {
        return {};
    }
    Caller& caller = callers_.at(key);
    caller.client.on_gre(gre, now);
    return take_sent(caller);
}

pptp::PeerSegment Callers::on_probe(const pptp::CallKey& key,
                                    const pptp::ProbeSegment& probe) const {
    if (!lives(key)) {
        pptp::PeerSegment reset;
        reset.sequence = probe.acknowledgement;
        reset.rst = true;
        return reset;
    }
    const Caller& caller = callers_.at(key);
    return {caller.sent, caller.received, 256, 77, probe.tsval, false, false};
}

Bytes Callers::on_control(const pptp::CallKey& key, ByteView bytes) {
    Caller& caller = callers_.at(key);
    caller.received += static_cast<std::uint32_t>(bytes.size());
    std::size_t size = 0;
    const auto message = pptp::parse_control_message(bytes, size);
    if (!message || !*message || (*message)->type != pptp::ControlType::echo_request) {
        return {};
    }
    Bytes reply = pptp::build_echo_reply(pptp::echo_id(**message).value_or(0));
    caller.sent += static_cast<std::uint32_t>(reply.size());
    return reply;
}

Bytes Callers::emit_goodbye(const pptp::CallKey& key) {
    Bytes bytes = pptp::build_call_clear_request(key.peer_id);
    callers_.at(key).sent += static_cast<std::uint32_t>(bytes.size());
    clients_.hang_up(node::record_key_of(key));
    return bytes;
}

}  // namespace vpnha::sim
