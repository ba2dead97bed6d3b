// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/ipsec.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "adapters/ipsec/charon_guard.hpp"
#include "adapters/ipsec/ike_socket.hpp"
#include "adapters/ipsec/nft_port_map.hpp"
#include "adapters/ipsec/xfrm_table.hpp"
#include "adapters/services/charon_sas.hpp"
#include "adapters/services/charon_service.hpp"
#include "runtime/cluster_nodes.hpp"
#include "runtime/timers.hpp"

namespace vpnha::runtime {

namespace {

// Of some thousand SAs, each of which charon may be at work on.
constexpr auto kListTimeout = std::chrono::seconds(5);
// A turn waits for it.
constexpr auto kEndTimeout = std::chrono::seconds(1);

ports::Charon::Listener listener_for(GatewayId id,
                                     std::function<void(GatewayId, const node::IpsecEvent&)> tell) {
    const auto heard = [id, tell = std::move(tell)](const node::IpsecEvent& event) {
        tell(id, event);
    };
    return {.on_said = [heard](ByteView message) { heard(node::CharonSaid{message}); },
            .on_fresh = [heard](std::uint8_t version) { heard(node::CharonFresh{version}); },
            .on_turned = [heard](bool active) { heard(node::CharonTurned{active}); },
            .on_fed =
                [heard](std::uint64_t ticket, const Result<void>& result) {
                    heard(node::CharonFed{ticket, result});
                },
            .on_gone = [heard] { heard(node::CharonGone{}); }};
}

}  // namespace

Result<Ipsec> open_ipsec(const config::Config& config, adapters::QbLoop& loop,
                         const std::string& key_file,
                         std::function<void(GatewayId, const node::IpsecEvent&)> tell) {
    Ipsec opened;
    const auto gateway =
        std::find_if(config.gateways.begin(), config.gateways.end(),
                     [](const config::Gateway& each) { return each.ipsec.has_value(); });
    if (gateway == config.gateways.end()) {
        return opened;
    }
    std::set<IpAddress> addresses;
    for (const IpPrefix& vip : gateway->outside.addresses) {
        addresses.insert(vip.address);
    }
    // Without L2TP there is no port to map.
    opened.port_map = std::make_unique<adapters::NftPortMap>(
        loop, kPortMapTimer, gateway->l2tp ? addresses : std::set<IpAddress>{},
        gateway->l2tp_port());
    opened.ike_watch = std::make_unique<adapters::IkeSocket>(
        loop, [id = gateway->id, tell](const ipsec::IkePacket& packet) {
            tell(id, node::IkeSeen{packet});
        });
    VPNHA_TRY(opened.sas, adapters::XfrmTable::open(loop, kSaTimer, std::move(addresses)));
    VPNHA_TRY(const auto key, cluster_key_of(key_file));
    VPNHA_TRY(auto box, adapters::SecretBox::make(key.content()));
    opened.gateway = gateway->id;
    VPNHA_TRY(
        opened.charon,
        adapters::CharonRelay::open(
            loop,
            {.look_timer = kCharonLookTimer,
             .feed_timer = kCharonFeedTimer,
             .turn_timer = kCharonTurnTimer,
             .list_sas =
                 [service = adapters::StockService(adapters::charon_kind(), gateway->name)] {
                     return adapters::list_ike_sas(service, kListTimeout);
                 },
             .guard = adapters::guard_charon,
             .rekey =
                 [](const std::vector<std::uint32_t>& children,
                    const std::vector<ipsec::IkeKey>& refusing) {
                     return adapters::rekey_children(adapters::kCharonVici, children, refusing,
                                                     kListTimeout);
                 },
             .end =
                 [](const std::vector<ipsec::IkeKey>& sas) {
                     return adapters::end_ike_sas(adapters::kCharonVici, sas, kListTimeout);
                 },
             .end_half_open =
                 [] { return adapters::end_half_open_sas(adapters::kCharonVici, kEndTimeout); }},
            adapters::CharonSecrets(std::move(box)), listener_for(gateway->id, std::move(tell))));
    return opened;
}

}  // namespace vpnha::runtime
