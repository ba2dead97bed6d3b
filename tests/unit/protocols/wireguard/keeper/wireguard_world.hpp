// SPDX-License-Identifier: GPL-2.0-or-later
// Two nodes with the keeper of WireGuard peers, and what their kernels do: a peer is tried, as by
// the kernel, when its keepalive goes from 0 to more.
#pragma once

#include <gmock/gmock.h>

#include <deque>
#include <map>

#include "protocols/wireguard/keeper/peers.hpp"
#include "protocols/wireguard/model/limits.hpp"
#include "protocols/wireguard/work.hpp"
#include "support/sample_peer.hpp"
#include "unit/cluster/node/fake_gateway.hpp"

namespace vpnha::keepers {
namespace wireguard_world {

using std::chrono::milliseconds;
using std::chrono::seconds;
using wireguard::Endpoint;
using wireguard::Peer;
using wireguard::PeerState;
using wireguard::PublicKey;
using wireguard::test::endpoint;
using wireguard::test::sample_key;
using wireguard::test::sample_peer;

inline constexpr std::uint64_t kInitiationBytes = 148;

class Site final : public FakeGateway {
  public:
    explicit Site(std::uint32_t node) : FakeGateway(GatewayId{1}, NodeId{node}), keeper_(*this) {}

    using FakeGateway::replica_;

    void install_missing(TimePoint now, Effects&) override {
        take(replica_.install_missing(), now);
    }
    void report_usage(const Usage& usage, TimePoint, Effects&) override { used_.push_back(usage); }
    void report_end(const wire::RecordKey& session, EndCause cause, TimePoint) override {
        ended_.emplace_back(session, cause);
    }
    void take(replica::Effects&& from, TimePoint now) {
        carry_out(std::move(from), keeper_, sent_, now, effects_);
    }
    void notify(const node::WireguardEvent& event, TimePoint now) {
        keeper_.on_event(effects::KeeperEvent(event), now, effects_);
    }
    void run(TimePoint now) {
        now_ = now;
        keeper_.on_time(now, effects_);
        keeper_.follow(now, effects_);
        while (!effects_.empty()) {
            for (effects::Effect& effect : std::exchange(effects_, {})) {
                if (auto* work = effects::find<node::WireguardWork>(effect)) {
                    std::visit([&](auto& each) { execute(each, now); }, *work);
                } else if (const auto* log = std::get_if<effects::Log>(&effect)) {
                    logged_.push_back(log->text);
                }
            }
            keeper_.follow(now, effects_);
        }
    }

    struct KernelPeer {
        Peer peer;
        std::uint16_t keepalive_s = 0;
        std::optional<Endpoint> endpoint;
        wireguard::PeerTraffic traffic;
    };

    void execute(const node::RaiseDevice&, TimePoint now) {
        kernel_.clear();
        is_up_ = can_raise_;
        ++raised_;
        notify(
            node::DeviceRaised{can_raise_ ? Result<void>() : fail(Errc::unsupported, "no module")},
            now);
    }
    void execute(const node::LowerDevice&, TimePoint) {
        kernel_.clear();
        is_up_ = false;
    }
    void execute(const node::SetPeer& set, TimePoint now) {
        if (!is_up_ || refuses_) {
            notify(node::PeerSet{set.peer.key, set.ticket, fail(Errc::not_found, "no device")},
                   now);
            return;
        }
        if (set.anew) {
            kernel_.erase(set.peer.key);
            ++added_anew_;
        }
        KernelPeer& peer = kernel_[set.peer.key];
        peer.peer = set.peer;
        peer.endpoint = set.peer.endpoint ? set.peer.endpoint : peer.endpoint;
        set_keepalive(set.peer.key, peer, set.keepalive_s);
        notify(node::PeerSet{set.peer.key, set.ticket, {}}, now);
    }
    void execute(const node::RemovePeer& remove, TimePoint) { kernel_.erase(remove.key); }
    void execute(const node::UseVip& use, TimePoint now) {
        uses_vip_ = use.on;
        if (use.on) {
            notify(node::VipUsed{}, now);
        }
    }
    void execute(const node::SetKeepalives& set, TimePoint) {
        for (const auto& [key, keepalive_s] : set.keepalives) {
            const auto found = kernel_.find(key);
            if (found == kernel_.end()) {
                continue;
            }
            set_keepalive(key, found->second, keepalive_s);
        }
    }
    void set_keepalive(const PublicKey& key, KernelPeer& peer, std::uint16_t keepalive_s) {
        if (peer.keepalive_s == 0 && keepalive_s != 0) {
            peer.traffic.octets_out += sends_nothing_ ? 0 : kInitiationBytes;
            tried_.push_back(key);
        }
        peer.keepalive_s = keepalive_s;
    }
    void execute(const node::ReadPeers& read, TimePoint now) {
        ++reads_;
        if (!answers_readings_) {
            unanswered_ = read.ticket;
            return;
        }
        std::vector<PeerState> states;
        for (const auto& [key, peer] : kernel_) {
            states.push_back({key, peer.endpoint, peer.traffic});
        }
        notify(node::PeersRead{read.ticket, states, true}, now);
    }
    void execute(const node::LoadPeers&, TimePoint now) {
        ++loads_;
        if (file_) {
            notify(node::PeersLoaded{*file_, true}, now);
        } else {
            notify(node::PeersUnreadable{"peers.conf:1: it is wrong"}, now);
        }
    }

    // The client answers, and so much passes in either direction.
    void answer(const PublicKey& key, std::uint64_t octets = 0) {
        wireguard::PeerTraffic& traffic = kernel_.at(key).traffic;
        traffic.last_handshake_unix_ms =
            static_cast<std::uint64_t>(now_.time_since_epoch() / milliseconds(1));
        traffic.octets_in += 92 + octets;
        traffic.octets_out += octets;
    }
    [[nodiscard]] Result<Peer> record(const PublicKey& key) const {
        const auto* const stored = replica_.store().find(node::peer_record_of(key));
        return stored == nullptr ? fail(Errc::not_found, "")
                                 : wireguard::parse_peer(key.octets, stored->payload);
    }
    [[nodiscard]] wireguard::PeerTraffic traffic(const PublicKey& key) const {
        const auto* const stored = replica_.store().find(node::traffic_record_of(key));
        return stored == nullptr ? wireguard::PeerTraffic{}
                                 : wireguard::parse_traffic(stored->payload).value();
    }

    WireguardPeers keeper_;
    Effects effects_;
    std::deque<wire::Message> sent_;
    std::map<PublicKey, KernelPeer> kernel_;
    std::optional<std::vector<Peer>> file_ = std::vector<Peer>{};
    std::vector<PublicKey> tried_;
    std::vector<std::string> logged_;
    std::vector<Usage> used_;
    std::vector<std::pair<wire::RecordKey, EndCause>> ended_;
    TimePoint now_{};
    int raised_ = 0;
    int added_anew_ = 0;
    int reads_ = 0;
    int loads_ = 0;
    std::uint64_t unanswered_ = 0;
    bool is_up_ = false;
    bool can_raise_ = true;
    bool refuses_ = false;
    bool answers_readings_ = true;
    bool sends_nothing_ = false;  // It has tried each peer shortly before.
    bool uses_vip_ = false;
};

class World : public ::testing::Test {
  protected:
    World() {
        for (Site* const site : {&a_, &b_}) {
            site->replica_.on_members({NodeId{1}, NodeId{2}}, true, now_);
        }
        pass(milliseconds(10));
    }

    // Its gate opens. Once for a site that stands in before its promote().
    void open(Site& site) {
        site.keeper_.on_addresses(site.effects_);
        site.keeper_.on_open(now_, site.effects_);
        settle();
    }
    void promote(Site& site) {
        if (!site.uses_vip_) {
            open(site);
        }
        ++epoch_;
        site.take(site.replica_.begin_epoch({epoch_, &site == &a_ ? NodeId{1} : NodeId{2}}, now_),
                  now_);
        site.keeper_.promote(now_, site.effects_);
        settle();
    }
    void demote(Site& site) {
        site.keeper_.mute(site.effects_);
        if (site.replica_.promoted()) {
            site.replica_.end_epoch(now_);
        }
        site.install_missing(now_, site.effects_);
        settle();
    }
    void settle() {
        for (bool more = true; more;) {
            more = false;
            for (Site* const site : {&a_, &b_}) {
                if (site == dead_) {
                    continue;
                }
                site->run(now_);
                site->take(site->replica_.flush(now_), now_);
                while (!site->sent_.empty()) {
                    more = true;
                    const wire::Message message = std::move(site->sent_.front());
                    site->sent_.pop_front();
                    for (Site* const other : {&a_, &b_}) {
                        if (other != dead_) {
                            other->take(other->replica_.on_message(
                                            site == &a_ ? NodeId{1} : NodeId{2}, message, now_),
                                        now_);
                        }
                    }
                }
            }
        }
    }
    void pass(Duration duration) {
        const TimePoint end = now_ + duration;
        while (now_ < end) {
            now_ += milliseconds(10);
            settle();
        }
    }
    // A serves `count` peers by its file; both have them.
    void serve(std::uint32_t count) {
        std::vector<Peer> peers;
        for (std::uint32_t number = 1; number <= count; ++number) {
            peers.push_back(sample_peer(number));
            peers.back().keepalive_s = 0;
            peers.back().allowed = {
                {IpAddress(Ipv4Address{0x0ac80000 + number}), 32},
            };
        }
        a_.file_ = peers;
        b_.file_ = std::move(peers);
        promote(a_);
        pass(milliseconds(100));
    }
    void kill_a() {
        dead_ = &a_;
        b_.replica_.on_members({NodeId{2}}, true, now_);
        settle();
    }

    TimePoint now_{TimePoint{} + seconds(1000)};
    std::uint64_t epoch_ = 0;
    Site a_{1};
    Site b_{2};
    Site* dead_ = nullptr;
};

}  // namespace wireguard_world
}  // namespace vpnha::keepers
