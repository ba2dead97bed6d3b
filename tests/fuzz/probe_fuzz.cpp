// SPDX-License-Identifier: GPL-2.0-or-later
// What servers answer a probe, hostile ones among them. The first octet names the protocol; behind
// it are messages, each with its length (u16). Of PPTP a length with its highest bit
// is one of GRE, any other one of the control connection.
#include <memory>

#include "base/assert.hpp"
#include "probe/ikev1_exchange.hpp"
#include "probe/ikev2_exchange.hpp"
#include "probe/l2tp_dial.hpp"
#include "probe/l2tp_exchange.hpp"
#include "probe/pptp_link.hpp"
#include "probe/radius_exchange.hpp"
#include "probe/wireguard_exchange.hpp"
#include "protocols/pptp/model/trial_call.hpp"

using namespace vpnha;

namespace {

constexpr std::size_t kRequestBytesMax = 1400;
// What a server asks for is sent back to it.
constexpr std::size_t kAnswerBytesMax = 2100;
constexpr unsigned kPptp = 4;
constexpr unsigned kWireguard = 5;
constexpr unsigned kL2tpDial = 6;
constexpr unsigned kPptpLink = 7;

std::unique_ptr<probe::Exchange> wireguard_exchange() {
    // Public keys are points: that of any private key is one.
    const probe::noise::Secret secret(probe::noise::Octets{1});
    const auto server = probe::noise::public_key_of(secret);
    VPNHA_ASSERT(server);
    auto made = probe::WireguardExchange::make({secret, *server, {}}, {.index = 0x1234});
    VPNHA_ASSERT(made);
    return std::move(*made);
}

adapters::SecretBytes secret_of_one_octet() {
    auto secret = adapters::SecretBytes::with_room(1);
    VPNHA_ASSERT(secret && secret->append(Bytes{'s'}));
    return std::move(*secret);
}

std::unique_ptr<probe::Exchange> exchange_of(unsigned protocol) {
    switch (protocol) {
        case 0:
            return std::make_unique<probe::L2tpExchange>(TunnelId{0x1234});
        case 1:
            return std::make_unique<probe::Ikev1Exchange>(0x1122334455667788);
        case 2:
            return std::make_unique<probe::Ikev2Exchange>(
                probe::Ikev2Numbers{.spi = 0x1122334455667788});
        case kWireguard:
            return wireguard_exchange();
        case kL2tpDial:
            return std::make_unique<probe::L2tpDial>(
                probe::L2tpNumbers{TunnelId{0x1234}, SessionId{0x1234}},
                probe::PppLogin({"probe", secret_of_one_octet()}, {}, {}));
        default:
            break;
    }
    auto made = probe::RadiusExchange::make({.id = 9}, secret_of_one_octet());
    VPNHA_ASSERT(made);
    return std::move(*made);
}

void call(ByteReader reader, std::unique_ptr<pptp::TrialLink> link) {
    pptp::TrialCall call(pptp::CallId{65'000}, std::move(link));
    while (reader.remaining() != 0) {
        const std::uint16_t head = reader.u16();
        const ByteView octets = reader.take(head & 0x7fffU);
        if (!((head & 0x8000U) != 0 ? call.on_packet(octets) : call.on_control(octets))) {
            break;
        }
        call.repeat();
        for (const Bytes& packet : call.take_packets()) {
            VPNHA_ASSERT(packet.size() <= kAnswerBytesMax);
        }
    }
    VPNHA_ASSERT(!call.missing().empty());
    static_cast<void>(call.closing_message());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader reader({data, size});
    const unsigned protocol = reader.u8() % (kPptpLink + 1);
    if (protocol == kPptp) {
        call(reader, nullptr);
        return 0;
    }
    if (protocol == kPptpLink) {
        call(reader, std::make_unique<probe::PptpLink>(
                         probe::PppLogin({"probe", secret_of_one_octet()}, {}, {})));
        return 0;
    }
    const auto exchange = exchange_of(protocol);
    while (reader.remaining() != 0 && !exchange->is_over()) {
        const ByteView datagram = reader.take(reader.u16());
        const bool continues = exchange->on_datagram(datagram).has_value();
        VPNHA_ASSERT(exchange->request().size() <= kRequestBytesMax && !exchange->step().empty());
        for (const Bytes& answer : exchange->take_answers()) {
            VPNHA_ASSERT(answer.size() <= kAnswerBytesMax);
        }
        exchange->repeat();
        if (!continues) {
            break;
        }
    }
    VPNHA_ASSERT(exchange->closing_message().size() <= kRequestBytesMax);
    return 0;
}
