// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/ipsec.hpp"

#include <chrono>
#include <set>
#include <utility>

#include "host/corosync/cluster_nodes.hpp"
#include "host/os/log.hpp"
#include "host/os/timers.hpp"
#include "protocols/backends.hpp"
#include "protocols/ipsec/backend/ike_socket.hpp"
#include "protocols/ipsec/backend/nft_port_map.hpp"
#include "protocols/ipsec/backend/xfrm_table.hpp"
#include "protocols/ipsec/service/charon_guard.hpp"
#include "protocols/ipsec/service/charon_sas.hpp"
#include "protocols/ipsec/service/charon_service.hpp"
#include "protocols/ipsec/table.hpp"

namespace vpnha::runtime {

namespace {

// For some thousand SAs, each of which charon may be handling.
constexpr auto kListTimeout = std::chrono::seconds(5);
// A turn waits for the end of the SAs.
constexpr auto kEndTimeout = std::chrono::seconds(1);

ports::Charon::Listener listener_for(GatewayId id, const ports::Backend::Notify& notify) {
    return {
        .on_emitted = [id, notify](ByteView message) { notify(id, node::CharonEmitted{message}); },
        .on_fresh = [id, notify](std::uint8_t version) { notify(id, node::CharonFresh{version}); },
        .on_turned = [id, notify](bool active) { notify(id, node::CharonTurned{active}); },
        .on_fed =
            [id, notify](std::uint64_t ticket, const Result<void>& result) {
                notify(id, node::CharonFed{ticket, result});
            },
        .on_gone = [id, notify] { notify(id, node::CharonGone{}); }};
}

}  // namespace

Status relay_status(const adapters::RelayDrops& drops, const std::string& warning) {
    return {{"ipsec/relay_drops/from_charon", drops.from_charon},
            {"ipsec/relay_drops/to_charon", drops.to_charon},
            {"ipsec/relay_drops/refused", drops.refused},
            {"ipsec/warning", warning.empty() ? StatusValue() : StatusValue(warning)}};
}

Status Ipsec::status_of(GatewayId gateway) const {
    return gateway == gateway_ ? relay_status(charon_->drops(), charon_->warning()) : Status();
}

Result<std::unique_ptr<Ipsec>> Ipsec::open(const config::Config& config, adapters::QbLoop& loop,
                                           const std::string& key_file, ports::Gate& gate,
                                           Notify notify) {
    const config::Gateway* const gateway = ipsec::find_gateway(config);
    if (gateway == nullptr) {
        return nullptr;
    }
    std::unique_ptr<Ipsec> opened(new Ipsec(gateway->id, gate, notify));
    std::set<IpAddress> addresses;
    for (const IpPrefix& vip : gateway->outside.addresses) {
        addresses.insert(vip.address);
    }
    const auto tunnel_port = gateway->protocols.tunnel_port();
    opened->port_map_ = std::make_unique<adapters::NftPortMap>(
        loop, kPortMapTimer, tunnel_port ? addresses : std::set<IpAddress>{},
        tunnel_port.value_or(0));
    opened->ike_watch_ = std::make_unique<adapters::IkeSocket>(
        loop, [id = gateway->id, notify](const ipsec::IkePacket& packet) {
            notify(id, node::IkeSeen{packet});
        });
    VPNHA_TRY(opened->sas_, adapters::XfrmTable::open(loop, kSaTimer, std::move(addresses)));
    VPNHA_TRY(const auto key, cluster_key_of(key_file));
    VPNHA_TRY(auto box, adapters::SecretBox::make(key.content()));
    const std::string vici = adapters::charon_vici(gateway->netns);
    VPNHA_TRY(
        opened->charon_,
        adapters::CharonRelay::open(
            loop,
            {.look_timer = kCharonLookTimer,
             .feed_timer = kCharonFeedTimer,
             .turn_timer = kCharonTurnTimer,
             .fifo = adapters::charon_fifo(gateway->netns),
             .list_sas =
                 [service = adapters::StockService(adapters::charon_kind(), gateway->name),
                  netns = gateway->netns] {
                     return adapters::list_ike_sas(service, netns, kListTimeout);
                 },
             .guard = adapters::guard_charon,
             .rekey =
                 [vici](const std::vector<std::uint32_t>& children,
                        const std::vector<ipsec::IkeKey>& refusing) {
                     return adapters::rekey_children(vici, children, refusing, kListTimeout);
                 },
             .end =
                 [vici](const std::vector<ipsec::IkeKey>& sas) {
                     return adapters::end_ike_sas(vici, sas, kListTimeout);
                 },
             .end_half_open = [vici] { return adapters::end_half_open_sas(vici, kEndTimeout); }},
            adapters::CharonSecrets(std::move(box)), listener_for(gateway->id, notify)));
    return opened;
}

bool Ipsec::execute(effects::ProtocolWork& work) {
    return execute_own<node::IpsecWork>(work, [this](auto& each) { carry_out(each); });
}

void Ipsec::carry_out(node::FeedCharon& work) {
    charon_->feed(std::move(work.messages), work.ticket);
}

void Ipsec::carry_out(const node::TurnCharon& work) {
    charon_->turn(work.active);
}

void Ipsec::carry_out(const node::ListSas& work) {
    sas_->list([this, gateway = work.gateway,
                ticket = work.ticket](const Result<ports::SaTable::Sas>& listed) {
        if (listed) {
            notify_(gateway, node::SasListed{*listed, ticket});
        } else {
            adapters::log_failure("listing the ESP SAs", tl::unexpected(listed.error()));
        }
    });
}

void Ipsec::carry_out(node::SetCounters& work) {
    sas_->set(std::move(work.counters), work.exact,
              [this, gateway = work.gateway, ticket = work.ticket](const Result<void>& result) {
                  notify_(gateway, node::CountersSet{ticket, result});
              });
}

void Ipsec::carry_out(const node::FlushSas& work) {
    sas_->flush([this, gateway = work.gateway, ticket = work.ticket](const Result<void>& result) {
        notify_(gateway, node::SasFlushed{ticket, result});
    });
}

void Ipsec::carry_out(const node::HoldEsp& work) {
    const Result<void> result = gate_.hold_esp(work.gateway, work.spis, work.held);
    notify_(work.gateway, node::EspHeld{work.ticket, result});
}

void Ipsec::carry_out(node::MapPorts& work) {
    port_map_->map(std::move(work.mappings));
}

void Ipsec::carry_out(node::RekeyChildren& work) {
    charon_->rekey(std::move(work.spis), std::move(work.refusing));
}

void Ipsec::carry_out(node::EndIkeSas& work) {
    charon_->end(std::move(work.sas));
}

void Ipsec::carry_out(const node::WatchIke& work) {
    adapters::log_failure("requests within IKE SAs are not seen", ike_watch_->watch(work.on));
}

void Ipsec::carry_out(const node::SendIke& work) {
    adapters::log_failure("a request of the gateway before is not sent again",
                          ike_watch_->send(work.from, work.to, work.datagram));
}

}  // namespace vpnha::runtime

vpnha::ports::OpenedBackend vpnha::ipsec::open_backend(const ports::BackendHost& host) {
    return runtime::Ipsec::open(host.config, host.loop, host.key_file, host.gate, host.notify);
}
