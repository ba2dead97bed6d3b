// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of strongSwan's ha plugin, one behind the other: a u16 of length and the octets. What
// parses is built with the very same octets. A store and a passive charon's image take them all. As
// a packet of IKE, each is at most cut short. What a charon of another version has sent is taken in
// the records' dialect.
#include <algorithm>

#include "base/assert.hpp"
#include "protocols/ipsec/model/charon_image.hpp"
#include "protocols/ipsec/model/ike_packet.hpp"
#include "protocols/ipsec/model/sa_store.hpp"

using namespace vpnha;

namespace {

void check_octets(ByteView octets) {
    const auto packet = ipsec::parse_ike_packet(octets, octets.size() % 2 == 0);
    VPNHA_ASSERT(!packet || octets.size() >= 52);
    VPNHA_ASSERT(!packet || packet->datagram.size() <= octets.size() - 28);
    const Result<ipsec::HaMessage> message = ipsec::parse_ha_message(octets);
    if (!message) {
        VPNHA_ASSERT(!message.error().detail.empty());
        return;
    }
    VPNHA_ASSERT(
        std::ranges::equal(ipsec::build_ha_message(message->type, message->attributes), octets));
    for (const ipsec::Attribute& each : message->attributes) {
        static_cast<void>(ipsec::parse_host(each.value));
        static_cast<void>(ipsec::identity_text(each.value));
    }
}

Bytes in_dialect(ByteView octets) {
    const Result<ipsec::CharonMessage> parsed = ipsec::parse_charon_message(octets);
    if (!parsed) {
        VPNHA_ASSERT(!parsed.error().detail.empty());
        return {octets.begin(), octets.end()};
    }
    return ipsec::build_ha_message(parsed->message.type, parsed->message.attributes);
}

void check_records(const ipsec::SaSet& sas) {
    for (const auto& [key, sa] : sas.ikes()) {
        const auto parsed = ipsec::parse_ike_sa(ipsec::encode_key(key), ipsec::encode_record(sa));
        VPNHA_ASSERT(parsed && *parsed == sa);
        VPNHA_ASSERT(ipsec::is_established(sa));
    }
    for (const auto& [spi, child] : sas.children()) {
        const auto parsed =
            ipsec::parse_child_sa(ipsec::encode_spi(spi), ipsec::encode_record(child));
        VPNHA_ASSERT(parsed && *parsed == child);
        VPNHA_ASSERT(sas.find(child.made) != nullptr);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView{data, size});
    ipsec::SaStore store(1701);
    ipsec::CharonImage image;
    image.clear();
    while (in.ok() && in.remaining() != 0) {
        const ByteView octets = in.take_prefixed(std::max<std::size_t>(in.remaining(), 2) - 2);
        if (!in.ok()) {
            break;
        }
        check_octets(octets);
        const Bytes dialect = in_dialect(octets);
        check_octets(dialect);
        const auto changes = store.apply(dialect);
        if (!changes) {
            continue;
        }
        check_records(store.sas());
        for (const ipsec::IkeKey& key : changes->ikes) {
            static_cast<void>(image.feed(key, store.sas()));
            VPNHA_ASSERT(image.feed(key, store.sas()).messages.empty());
        }
    }
    static_cast<void>(store.settle());
    check_records(store.sas());
    return 0;
}
