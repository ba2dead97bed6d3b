// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/wireguard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "base/limits.hpp"
#include "host/corosync/cluster_nodes.hpp"
#include "host/os/log.hpp"
#include "host/secrets/secret_box.hpp"
#include "protocols/wireguard/backend/wireguard_kernel.hpp"
#include "protocols/wireguard/model/limits.hpp"
#include "protocols/wireguard/table.hpp"

namespace vpnha::runtime {

namespace {

using wireguard::Peer;
using wireguard::PeerState;

// The mark of packets that a gateway's device sends: "vp", and the gateway.
constexpr std::uint32_t kFirstMark = 0x76700000;
constexpr int kSetTimer = 0;    // Peers of this turn are set together.
constexpr int kSliceTimer = 1;  // The next slice of a reading.
constexpr int kJobTimer = 2;    // No thread was available.

adapters::WireguardKernel::Settings settings_of(const config::Gateway& gateway) {
    const wireguard::Table& own = *gateway.protocols.get<wireguard::Table>();
    std::vector<IpPrefix> vips = gateway.outside.addresses;
    vips.insert(vips.end(), gateway.inside.addresses.begin(), gateway.inside.addresses.end());
    return {.device = own.device,
            .listen = {.table = fmt::format("vpnha_wireguard_{}", gateway.id.value),
                       .port = own.listen_port,
                       .vips = std::move(vips)},
            .files = {.private_key = own.private_key, .peers = own.peers},
            .route_table = gateway.route_table,
            .vip = {.interface = gateway.outside.interface,
                    .vips = gateway.outside.addresses,
                    .default_via = gateway.outside.default_via,
                    .table = gateway.mark_table(),
                    .preference = gateway.rule_preference,
                    .mark = kFirstMark + gateway.id.value}};
}

// Takes the next part of a list.
template <class Item>
std::span<const Item> take_part(const std::vector<Item>& all, std::size_t& begin) {
    const std::size_t count = std::min(limits::kWireguardPeersPerSlice, all.size() - begin);
    const auto part = std::span(all).subspan(begin, count);
    begin += count;
    return part;
}

}  // namespace

ports::OpenedBackend Wireguard::open(const ports::BackendHost& host) {
    Kernels kernels;
    for (const config::Gateway& gateway : host.config.gateways) {
        if (gateway.protocols.get<wireguard::Table>() != nullptr) {
            VPNHA_TRY(const auto key, cluster_key_of(host.key_file));
            VPNHA_TRY(auto box, adapters::SecretBox::make(key.content()));
            VPNHA_TRY(kernels[gateway.id],
                      adapters::WireguardKernel::open(settings_of(gateway), std::move(box)));
        }
    }
    return kernels.empty() ? nullptr
                           : std::make_unique<Wireguard>(host.loop, host.first_timer,
                                                         std::move(kernels), host.notify);
}

Wireguard::Wireguard(adapters::QbLoop& loop, int first_timer, Kernels kernels, Notify notify)
    : loop_(loop),
      first_timer_(first_timer),
      notify_(std::move(notify)),
      jobs_(loop, first_timer + kJobTimer, adapters::Background::Pace::urgent) {
    for (auto& [gateway, kernel] : kernels) {
        places_[gateway].kernel = std::move(kernel);
    }
}

Wireguard::~Wireguard() {
    loop_.cancel_timer(first_timer_ + kSetTimer);
    loop_.cancel_timer(first_timer_ + kSliceTimer);
}

bool Wireguard::execute(effects::ProtocolWork& work) {
    return execute_own<node::WireguardWork>(work, [this](auto& each) { carry_out(each); });
}

void Wireguard::finish() {
    for (const auto& [gateway, place] : places_) {
        set_collected(gateway);
    }
    jobs_.finish();
}

void Wireguard::add(GatewayId gateway, std::string what, Work work, Done done) {
    set_collected(gateway);
    if (!done) {
        done = [what = std::move(what)](const Result<void>& result) {
            adapters::log_failure(what, result);
        };
    }
    jobs_.add([&place = places_.at(gateway), work = std::move(work)] { return work(place); },
              std::move(done));
}

void Wireguard::carry_out(const node::RaiseDevice& work) {
    add(
        work.gateway, {},
        [](Place& place) {
            place.read.clear();
            return place.kernel->raise();
        },
        [this, gateway = work.gateway](const Result<void>& result) {
            notify_(gateway, node::DeviceRaised{result});
        });
}

void Wireguard::carry_out(const node::LowerDevice& work) {
    add(work.gateway, "removing a WireGuard device",
        [](Place& place) { return place.kernel->lower(); });
}

void Wireguard::carry_out(node::SetPeer& work) {
    places_.at(work.gateway).to_set.push_back(std::move(work));
    loop_.set_timer(first_timer_ + kSetTimer, loop_.now(), [this] {
        for (const auto& [gateway, place] : places_) {
            set_collected(gateway);
        }
    });
}

void Wireguard::set_collected(GatewayId gateway) {
    const auto peers = std::make_shared<const std::vector<node::SetPeer>>(
        std::exchange(places_.at(gateway).to_set, {}));
    if (peers->empty()) {
        return;
    }
    const auto results = std::make_shared<std::vector<Result<void>>>();
    jobs_.add(
        [&place = places_.at(gateway), peers, results]() -> Result<void> {
            *results = place.kernel->set(*peers);
            return {};
        },
        [this, gateway, peers, results](const Result<void>& result) {
            report_in_slices(
                [this, gateway, peers, results, result, begin = std::size_t{0}]() mutable {
                    for (const node::SetPeer& each : take_part(*peers, begin)) {
                        const auto n = static_cast<std::size_t>(&each - peers->data());
                        notify_(gateway, node::PeerSet{each.peer.key, each.ticket,
                                                       result ? (*results)[n] : result});
                    }
                    return begin < peers->size();
                });
        });
}

void Wireguard::carry_out(const node::RemovePeer& work) {
    add(work.gateway, "removing a WireGuard peer", [key = work.key](Place& place) {
        place.read.erase(key);
        return place.kernel->remove(key);
    });
}

void Wireguard::carry_out(const node::UseVip& work) {
    add(
        work.gateway, {}, [on = work.on](Place& place) { return place.kernel->use_vip(on); },
        [this, work](const Result<void>& result) {
            adapters::log_failure("the routes from the VIP of WireGuard", result);
            if (result && work.on) {
                notify_(work.gateway, node::VipUsed{});
            }
        });
}

void Wireguard::carry_out(node::SetKeepalives& work) {
    add(work.gateway, "setting keepalives of WireGuard",
        [keepalives = std::move(work.keepalives)](Place& place) {
            return place.kernel->set_keepalives(keepalives);
        });
}

Result<std::vector<PeerState>> Wireguard::read_news(Place& place) {
    VPNHA_TRY(std::vector<PeerState> peers, place.kernel->read());
    std::erase_if(peers, [&place](const PeerState& peer) {
        const auto [known, is_new] = place.read.try_emplace(peer.key, peer);
        return !is_new && std::exchange(known->second, peer) == peer;
    });
    return peers;
}

void Wireguard::carry_out(const node::ReadPeers& work) {
    const auto news = std::make_shared<std::vector<PeerState>>();
    add(
        work.gateway, {},
        [news](Place& place) -> Result<void> {
            VPNHA_TRY(*news, read_news(place));
            return {};
        },
        [this, gateway = work.gateway, ticket = work.ticket, news](const Result<void>& result) {
            if (!result && result.error().code == Errc::not_found) {
                notify_(gateway, node::DeviceGone{});
                return;
            }
            adapters::log_failure("reading the peers of WireGuard", result);
            report_in_slices([this, gateway, ticket, news, begin = std::size_t{0}]() mutable {
                const auto part = take_part(*news, begin);
                const bool is_last = begin == news->size();
                notify_(gateway, node::PeersRead{ticket, part, is_last});
                return !is_last;
            });
        });
}

void Wireguard::carry_out(const node::LoadPeers& work) {
    const auto peers = std::make_shared<std::vector<Peer>>();
    add(
        work.gateway, {},
        [peers](Place& place) -> Result<void> {
            VPNHA_TRY(*peers, place.kernel->load());
            return {};
        },
        [this, gateway = work.gateway, peers](const Result<void>& result) {
            if (!result) {
                notify_(gateway, node::PeersUnreadable{result.error().detail});
                return;
            }
            report_in_slices([this, gateway, peers, begin = std::size_t{0}]() mutable {
                const auto part = take_part(*peers, begin);
                const bool is_last = begin == peers->size();
                notify_(gateway, node::PeersLoaded{part, is_last});
                return !is_last;
            });
        });
}

void Wireguard::report_in_slices(std::function<bool()> report_some) {
    slices_.push_back(std::move(report_some));
    if (slices_.size() == 1) {
        report_slices();
    }
}

void Wireguard::report_slices() {
    const TimePoint until = loop_.now() + limits::kLoopSlice;
    while (!slices_.empty() && loop_.now() < until) {
        if (!slices_.front()()) {
            slices_.pop_front();
        }
    }
    if (!slices_.empty()) {
        // Other work of the node has its turn, too.
        loop_.set_timer(first_timer_ + kSliceTimer, loop_.now() + limits::kLoopSlice,
                        [this] { report_slices(); });
    }
}

}  // namespace vpnha::runtime

vpnha::ports::OpenedBackend vpnha::wireguard::open_backend(const ports::BackendHost& host) {
    return runtime::Wireguard::open(host);
}
