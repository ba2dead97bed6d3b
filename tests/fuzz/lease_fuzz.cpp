// SPDX-License-Identifier: GPL-2.0-or-later
// A lease datagram: what parses is written with the very same bytes, and upsets neither a holder,
// nor a draining one, nor one that yields, nor a claimant, nor a voter, nor a node that asks
// whether to stand in, nor one without a memory, nor a witness. The tag is set right first, or
// every input would end there.
#include <sodium.h>

#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "cluster/lease/datagram.hpp"
#include "cluster/lease/engine.hpp"
#include "cluster/lease/witness_host.hpp"

using namespace vpnha;

namespace {

constexpr std::size_t kTagBytes = crypto_auth_BYTES;
const TimePoint kNow{std::chrono::hours(1)};

Bytes with_tag(ByteView bytes, const lease::LeaseKey& key) {
    Bytes tagged(bytes.begin(), bytes.end());
    tagged.resize(bytes.size() + kTagBytes);
    crypto_auth(tagged.data() + bytes.size(), bytes.data(), bytes.size(), key.octets().data());
    return tagged;
}

lease::Engine engine_with(std::vector<NodeId> voters, bool remembers = true) {
    std::optional<lease::Durable> durable;
    if (remembers) {
        durable.emplace();
        durable->voters.current = {{{0, NodeId{1}}, 0}, voters};
    }
    lease::Setup setup{{NodeId{1}, {}, {1}}, {}, std::move(voters)};
    lease::Engine engine(setup, durable, kNow - setup.timing.abstention());
    static_cast<void>(engine.on_members({NodeId{1}, NodeId{2}}, true, kNow));
    return engine;
}

std::vector<lease::Engine> engines() {
    const std::vector<NodeId> three{NodeId{1}, NodeId{2}, NodeId{3}};
    std::vector<lease::Engine> all(3, engine_with(three));
    static_cast<void>(all[1].promote(kNow));
    all.push_back(engine_with({NodeId{1}}));
    static_cast<void>(all[3].promote(kNow));
    all.push_back(all[3]);
    static_cast<void>(all[4].demote(kNow));
    all.push_back(engine_with(three, false));
    all.push_back(engine_with({NodeId{1}, NodeId{2}}, false));
    static_cast<void>(all[6].promote(kNow));
    all.push_back(engine_with(three));
    static_cast<void>(all[7].stand_in(kNow));
    all.push_back(all[3]);
    all[8].yield(lease::Yields::to_anybody, std::nullopt);
    return all;
}

void carry_out(const lease::WitnessHost::Orders& orders, lease::WitnessHost& host) {
    for (const lease::WitnessHost::Save& save : orders.saves) {
        carry_out(host.on_saved(save.gateway, save.ticket, true, kNow), host);
    }
}

// Of a sender that has repeated its challenge: it takes nothing of any other one.
void notify_witness(const lease::Datagram& datagram, ByteView bytes, const lease::LeaseKey& key) {
    const lease::Sender self{lease::kWitness, {}, {77}};
    lease::Durable durable;
    durable.voters.current = {{{0, NodeId{1}}, 0}, {NodeId{1}, NodeId{2}, lease::kWitness}};
    lease::WitnessHost host(self, {}, key, {{datagram.gateway, {durable, false}}},
                            kNow - lease::Timing{}.abstention());
    lease::Hello hello;
    for (const auto& packet : host.on_datagram(bytes, "there", kNow).packets) {
        const auto answer = lease::parse_datagram(packet.bytes, key);
        const auto* const asked = std::get_if<lease::Hello>(&answer->message);
        if (asked != nullptr && asked->challenge) {
            hello.repeated = lease::Challenge{self.instance, *asked->challenge};
        }
    }
    const std::uint64_t before = datagram.sequence - std::min<std::uint64_t>(datagram.sequence, 1);
    carry_out(
        host.on_datagram(lease::encode({datagram.gateway, datagram.sender, before, hello}, key),
                         "there", kNow),
        host);
    carry_out(host.on_datagram(bytes, "there", kNow), host);
    carry_out(host.on_time(kNow + std::chrono::seconds(3)), host);
    for (const auto& [gateway, vote] : host.votes()) {
        VPNHA_ASSERT(vote.engine().holder().phase() == lease::Phase::idle);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const lease::LeaseKey kKey("fuzz");
    const Bytes bytes = with_tag({data, size}, kKey);
    const Result<lease::Datagram> datagram = lease::parse_datagram(bytes, kKey);
    if (!datagram) {
        return 0;
    }
    VPNHA_ASSERT(lease::encode(*datagram, kKey) == bytes);
    notify_witness(*datagram, bytes, kKey);
    for (lease::Engine& engine : engines()) {
        static_cast<void>(engine.on_message(datagram->sender, datagram->message, kNow));
        if (engine.state().handing && engine.state().handing->asked) {
            static_cast<void>(engine.on_counters({}, kNow));
        }
        static_cast<void>(engine.on_time(kNow + std::chrono::seconds(3)));
    }
    return 0;
}
