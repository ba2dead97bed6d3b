// SPDX-License-Identifier: GPL-2.0-or-later
// What a takeover with many WireGuard peers costs their keeper, and when all have answered. The
// keeper is the real one. Its kernel is not: each peer answers a round trip after it was tried, and
// no handshake costs anything. So the time until all have answered is that of the turns, 256 open
// at once; the kernel's own work comes to it. A line of JSON.
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <queue>
#include <vector>

#include "base/assert.hpp"
#include "latencies.hpp"
#include "protocols/wireguard/keeper/peers.hpp"
#include "protocols/wireguard/model/limits.hpp"
#include "support/sample_peer.hpp"
#include "unit/cluster/node/fake_gateway.hpp"

namespace vpnha::bench {

namespace {

using wireguard::PeerState;
using wireguard::PublicKey;

constexpr Duration kRoundTrip = std::chrono::milliseconds(40);
constexpr std::uint64_t kAnswerBytes = 92;
constexpr Duration kGivenUp = std::chrono::minutes(1);

class Gateway final : public keepers::FakeGateway {
  public:
    explicit Gateway(std::uint32_t peers) : FakeGateway(GatewayId{1}, NodeId{1}), keeper_(*this) {
        replica_.on_members({NodeId{1}}, true, now_);
        (void)replica_.begin_epoch({1, NodeId{1}}, now_);
        VPNHA_ASSERT(replica_.promoted());
        for (std::uint32_t number = 1; number <= peers; ++number) {
            wireguard::Peer& peer = file_.emplace_back(wireguard::test::sample_peer(number));
            peer.keepalive_s = 0;
            peer.allowed = {{IpAddress(Ipv4Address{0x0ac80000 + number}), 32}};
            kernel_[peer.key] = {peer.key, peer.endpoint, {}};
            VPNHA_ASSERT(
                replica_.publish(node::peer_record_of(peer.key), wireguard::encode_peer(peer)));
        }
    }

    // The gate opens; until the last peer has answered.
    nlohmann::json take_over() {
        timed([this] { keeper_.follow(now_, effects_); });  // The device is raised before.
        carry_out();
        busy_ = longest_ = {};
        const TimePoint opened = now_;
        timed([this] { keeper_.on_open(now_, effects_); });
        const Duration first = busy_;
        carry_out();
        while (keeper_.counts().at("wireguard_answered") < file_.size()) {
            VPNHA_ASSERT(now_ - opened < kGivenUp);
            pass();
        }
        return {{"peers", file_.size()},
                {"opened_ms", to_ms(first)},
                {"busy_ms", to_ms(busy_)},
                {"longest_ms", to_ms(longest_)},
                {"answered_ms", to_ms(now_ - opened)}};
    }

  private:
    template <class Call>
    void timed(Call call) {
        const auto begun = std::chrono::steady_clock::now();
        call();
        const Duration took = std::chrono::steady_clock::now() - begun;
        busy_ += took;
        longest_ = std::max(longest_, took);
    }

    void pass() {
        const auto due = keeper_.next_deadline();
        TimePoint next = due.value_or(now_ + kRoundTrip);
        if (!answers_.empty()) {
            next = std::min(next, answers_.front().first);
        }
        now_ = std::max(now_, next);
        while (!answers_.empty() && answers_.front().first <= now_) {
            answer(answers_.front().second);
            answers_.pop();
        }
        timed([this] { keeper_.on_time(now_, effects_); });
        timed([this] { keeper_.follow(now_, effects_); });
        carry_out();
    }

    void answer(const PublicKey& key) {
        PeerState& peer = kernel_.at(key);
        peer.traffic.octets_in += kAnswerBytes;
        peer.traffic.last_handshake_unix_ms = ++handshakes_;
        news_.push_back(peer);
    }

    void carry_out() {
        while (!effects_.empty()) {
            for (effects::Effect& effect : std::exchange(effects_, {})) {
                if (auto* const work = effects::find<node::WireguardWork>(effect)) {
                    std::visit([this](const auto& each) { execute(each); }, *work);
                }
            }
            timed([this] { keeper_.follow(now_, effects_); });
        }
    }
    void notify(const node::WireguardEvent& event) {
        const effects::KeeperEvent notified(event);
        timed([&] { keeper_.on_event(notified, now_, effects_); });
    }
    // As the backend does, a slice in each turn of the loop.
    template <class Item, class Event>
    void report_in_slices(const std::vector<Item>& all, Event event) {
        for (std::size_t begin = 0; begin == 0 || begin < all.size();) {
            const std::size_t end = std::min(begin + limits::kWireguardPeersPerSlice, all.size());
            notify(event(std::span(all).subspan(begin, end - begin), end == all.size()));
            if (end == begin) {
                return;
            }
            begin = end;
        }
    }

    void execute(const node::RaiseDevice&) { notify(node::DeviceRaised{}); }
    void execute(const node::SetPeer& set) {
        kernel_[set.peer.key] = {set.peer.key, set.peer.endpoint, {}};
        if (set.keepalive_s != 0) {
            answers_.emplace(now_ + kRoundTrip, set.peer.key);
        }
        notify(node::PeerSet{set.peer.key, set.ticket, {}});
    }
    void execute(const node::SetKeepalives& set) {
        for (const auto& [key, keepalive_s] : set.keepalives) {
            if (keepalive_s != 0) {
                answers_.emplace(now_ + kRoundTrip, key);
            }
        }
    }
    void execute(const node::ReadPeers& read) {
        report_in_slices(std::exchange(news_, {}), [&](auto part, bool is_last) {
            return node::PeersRead{read.ticket, part, is_last};
        });
    }
    void execute(const node::LoadPeers&) {
        report_in_slices(file_, [](auto part, bool is_last) {
            return node::PeersLoaded{part, is_last};
        });
    }
    template <class Work>
    void execute(const Work&) {}

    keepers::WireguardPeers keeper_;
    effects::Effects effects_;
    std::vector<wireguard::Peer> file_;
    std::map<PublicKey, PeerState> kernel_;
    std::vector<PeerState> news_;
    std::queue<std::pair<TimePoint, PublicKey>> answers_;
    std::uint64_t handshakes_ = 0;
    TimePoint now_{std::chrono::hours(1)};
    Duration busy_{};
    Duration longest_{};
};

int run() {
    nlohmann::json sizes;
    for (const std::uint32_t peers : {1'000U, 10'000U}) {
        sizes.push_back(Gateway(peers).take_over());
    }
    fmt::print("{}\n", nlohmann::json{{"round_trip_ms", to_ms(kRoundTrip)},
                                      {"open", limits::kWireguardHandshakesMax},
                                      {"sizes", std::move(sizes)}}
                           .dump());
    return 0;
}

}  // namespace

}  // namespace vpnha::bench

int main() {
    return vpnha::bench::run();
}
