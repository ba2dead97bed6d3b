// SPDX-License-Identifier: GPL-2.0-or-later
// Whole nodes with IPsec among each other, on kernels that encrypt as fast as they can wherever a
// gate is open: whatever becomes of the nodes, no ESP number is used twice, and no IKE SA is ended
// of which a CHILD SA is in its node's kernel.
#include <gmock/gmock.h>

#include "base/limits.hpp"
#include "protocols/ipsec/model/sa_record.hpp"
#include "protocols/ipsec/work.hpp"
#include "support/ha_builder.hpp"
#include "support/random.hpp"
#include "unit/cluster/node/fake_cluster.hpp"

namespace vpnha::node {
namespace ipsec_numbers_test {

using ipsec::SaCounters;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::IkeSample;
using test::Random;

constexpr std::uint64_t kLast = 0xffff'ffff;
// Nine tenths of what the keeper reckons with: the clocks of two nodes differ.
constexpr std::uint64_t kPerMillisecond = limits::kEspPerSecond / 1000 * 9 / 10;
constexpr std::uint32_t kOut = 1'000'000;  // The peer's SPI of a child, beyond its own.
const IpAddress kVip = parse_ip("192.0.2.100").value_or(IpAddress{});
const IpAddress kClient = parse_ip("198.51.100.7").value_or(IpAddress{});

IkeSample ike_of(std::uint32_t spi) {
    return IkeSample{test::ike_id(2, spi)};
}

class Kernels final : public FakeIpsec {
  public:
    struct Sa {
        std::uint64_t oseq = 0;  // Used last.
        TimePoint at{};
    };
    struct Use {
        std::uint64_t highest = 0;
        std::uint32_t node = 0;
    };

    FakeCluster* cluster_ = nullptr;
    std::map<std::uint32_t, std::map<std::uint32_t, Sa>> sas_;  // Of a node, by their children.
    std::map<std::uint32_t, bool> active_;
    std::map<std::uint32_t, std::set<std::uint32_t>> held_;
    std::map<std::uint32_t, Use> used_;
    std::uint64_t used_twice_ = 0;
    std::uint64_t largest_jump_ = 0;  // Since it was set to zero.
    std::uint64_t jumps_ = 0;
    std::uint64_t ended_ = 0;
    std::uint64_t ended_alive_ = 0;

    void proceed(std::uint32_t node) override {
        const TimePoint now = cluster_->now();
        const TimePoint end = std::min(now, cluster_->at(node).gate);
        for (auto& [spi, sa] : sas_[node]) {
            if (held_[node].contains(spi + kOut)) {
                sa.at = now;
                continue;
            }
            const auto open =
                std::chrono::duration_cast<milliseconds>(std::max(end - sa.at, Duration{}));
            const std::uint64_t count = std::min(
                static_cast<std::uint64_t>(open.count()) * kPerMillisecond, kLast - sa.oseq);
            sa.at = now;
            if (count > 0) {
                use(node, spi, sa.oseq + 1);
                sa.oseq += count;
                used_[spi].highest = std::max(used_[spi].highest, sa.oseq);
            }
        }
    }

    Effects execute(std::uint32_t node, IpsecWork& work) override {
        proceed(node);
        if (const auto* end = std::get_if<EndIkeSas>(&work)) {
            return end_sas(node, *end);
        }
        const IpsecEvent event = std::visit([&](auto& each) { return answer(node, each); }, work);
        return notify(node, event);
    }

    Effects notify(std::uint32_t node, const IpsecEvent& event) {
        return cluster_->at(node).node->on_event(kGateway, KeeperEvent(event), cluster_->now());
    }

    // `wanted`: a packet waits for it.
    void add(std::uint32_t node, std::uint32_t spi, bool wanted) {
        proceed(node);
        const auto [sa, fresh] = sas_[node].try_emplace(spi, Sa{0, cluster_->now()});
        if (wanted && fresh && cluster_->now() < cluster_->at(node).gate &&
            !held_[node].contains(spi + kOut)) {
            sa->second.oseq = 1;
            use(node, spi, 1);
            used_[spi].highest = std::max<std::uint64_t>(used_[spi].highest, 1);
        }
    }

  private:
    void use(std::uint32_t node, std::uint32_t spi, std::uint64_t first) {
        Use& use = used_[spi];
        used_twice_ += first <= use.highest ? 1 : 0;
        if (use.node != node && use.node != 0 && first > use.highest + 1) {
            largest_jump_ = std::max(largest_jump_, first - use.highest - 1);
            ++jumps_;
        }
        use.node = node;
    }
    // charon says it when the client has answered.
    Effects end_sas(std::uint32_t node, const EndIkeSas& end) {
        Effects effects;
        for (const ipsec::IkeKey& key : end.sas) {
            const auto alive = std::ranges::count_if(
                sas_[node], [&](const auto& sa) { return ike_of(sa.first).id.key == key; });
            ended_alive_ += static_cast<std::uint64_t>(alive);
            ++ended_;
            const Bytes message = ipsec::build_ike_delete({key, false});
            Effects more = notify(node, CharonEmitted{message});
            std::ranges::move(more, std::back_inserter(effects));
        }
        return effects;
    }
    IpsecEvent answer(std::uint32_t node, FeedCharon& feed) {
        for (const Bytes& message : feed.messages) {
            const auto parsed = ipsec::parse_ha_message(message);
            const auto spi = parsed->spi(ipsec::HaTag::inbound_spi);
            if (parsed->type == ipsec::HaType::child_add) {
                add(node, *spi, true);
            } else if (parsed->type == ipsec::HaType::child_delete) {
                sas_[node].erase(*spi);
            } else if (parsed->type == ipsec::HaType::ike_delete) {
                std::erase_if(sas_[node], [&](const auto& sa) {
                    return ike_of(sa.first).id == parsed->ike_id();
                });
            }
        }
        return CharonFed{feed.ticket, {}};
    }
    IpsecEvent answer(std::uint32_t node, TurnCharon& turn) {
        active_[node] = turn.active;
        return CharonTurned{turn.active};
    }
    IpsecEvent answer(std::uint32_t node, ListSas& list) {
        listed_.clear();
        for (const auto& [spi, sa] : sas_[node]) {
            listed_.push_back({{kClient, kVip, spi}, 0, 32, false, 0, 0, {0}});
            listed_.push_back({{kVip, kClient, spi + kOut}, 0, 0, false, sa.oseq, 0, {}});
        }
        return SasListed{listed_, list.ticket};
    }
    IpsecEvent answer(std::uint32_t node, SetCounters& set) {
        Result<void> result;
        for (const SaCounters& each : set.counters) {
            const std::uint32_t spi = each.id.source == kVip ? each.id.spi - kOut : each.id.spi;
            const auto found = sas_[node].find(spi);
            if (found == sas_[node].end()) {
                result = fail(Errc::system, "no such SA");
            } else if (each.id.source == kVip) {
                Sa& sa = found->second;
                sa.oseq = set.exact ? each.oseq : std::max(sa.oseq, each.oseq);
            }
        }
        return CountersSet{set.ticket, result};
    }
    IpsecEvent answer(std::uint32_t node, HoldEsp& hold) {
        for (const std::uint32_t spi : hold.spis) {
            if (hold.held) {
                held_[node].insert(spi);
            } else {
                held_[node].erase(spi);
            }
        }
        return EspHeld{hold.ticket, {}};
    }
    IpsecEvent answer(std::uint32_t node, FlushSas& flush) {
        sas_[node].clear();
        return SasFlushed{flush.ticket, {}};
    }

    // No SA has a mark, so there is nothing to map, and nobody waits for it.
    static IpsecEvent answer(std::uint32_t, MapPorts&) { return CountersSet{}; }
    // No client of this story asks for anything.
    static IpsecEvent answer(std::uint32_t, WatchIke&) { return CountersSet{}; }
    static IpsecEvent answer(std::uint32_t, SendIke&) { return CountersSet{}; }
    static IpsecEvent answer(std::uint32_t, RekeyChildren&) { return CountersSet{}; }
    // end_sas() does it.
    static IpsecEvent answer(std::uint32_t, EndIkeSas&) { return CountersSet{}; }

    std::vector<SaCounters> listed_;
};

class Story {
  public:
    explicit Story(std::uint64_t seed) : random_(seed) {
        cluster_.set_ipsec(&kernels_);
        kernels_.cluster_ = &cluster_;
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            cluster_.kill(node);
            cluster_.lose_disk(node);
        }
        for (const std::uint32_t node : {1U, 2U, 3U}) {
            start(node);
        }
        EXPECT_TRUE(cluster_.promote(1));
        server_ = 1;
        establish();
        establish();
    }

    void start(std::uint32_t node) {
        cluster_.start(node);
        cluster_.run(node, kernels_.notify(node, CharonFresh{}));
    }
    void cut(std::uint32_t node) {
        kernels_.proceed(node);
        cluster_.kill(node);
        kernels_.sas_.erase(node);
        kernels_.held_.erase(node);
        dead_.insert(node);
    }
    void bring_back() {
        for (const std::uint32_t node : std::exchange(dead_, {})) {
            start(node);
        }
    }
    void establish() {
        if (!kernels_.active_[server_]) {
            return;
        }
        const std::uint32_t spi = ++last_spi_;
        const IkeSample ike = ike_of(spi);
        for (const Bytes& message : {ike.add(), ike.update(), ike.child(spi, spi + kOut)}) {
            cluster_.run(server_, kernels_.notify(server_, CharonEmitted{message}));
        }
        kernels_.add(server_, spi, false);
    }
    std::uint32_t other() {
        for (;;) {
            const auto node = static_cast<std::uint32_t>(1 + random_.below(3));
            if (node != server_ && !dead_.contains(node)) {
                return node;
            }
        }
    }
    void promote(std::uint32_t node) {
        if (cluster_.promote(node)) {
            server_ = node;
        }
    }
    void pass(Duration time) { cluster_.pass(time); }

    void step() {
        const std::uint64_t what = random_.below(10);
        if (what == 0) {
            bring_back();
            const std::uint32_t next = other();
            if (random_.below(3) == 0) {
                cluster_.hold(true);
                pass(some_time());
                cut(server_);
                cluster_.hold(false);
            } else {
                cut(server_);
            }
            pass(some_time());
            const bool loses_one = random_.below(2) == 0;
            if (loses_one) {
                lose_one(next);
            }
            promote(next);
            pass(loses_one ? seconds(6) : seconds(0));
        } else if (what == 1) {
            bring_back();
            static_cast<void>(cluster_.begin_demote(server_));
            promote(other());
        } else if (what == 2) {
            bring_back();
            const std::uint32_t old = server_;
            cluster_.split({old});
            pass(seconds(1));
            promote(other());
            pass(some_time());
            cluster_.heal();
            static_cast<void>(cluster_.begin_demote(old));
        } else if (what == 3 && random_.below(4) == 0) {
            lose_one(server_);
            pass(some_time());
        } else if (what == 3) {
            establish();
        } else if (what == 4) {
            bring_back();
        } else if (what == 5) {
            const std::uint32_t node = random_.below(2) == 0 ? server_ : other();
            if (!dead_.contains(node)) {
                cluster_.run(node, kernels_.notify(node, CharonGone{}));
                pass(some_time());
                cluster_.run(node, kernels_.notify(node, CharonFresh{}));
            }
        } else {
            pass(some_time());
        }
    }
    // A kernel loses a CHILD SA, and nobody notices.
    void lose_one(std::uint32_t node) {
        auto& sas = kernels_.sas_[node];
        if (!sas.empty()) {
            sas.erase(
                std::next(sas.begin(), static_cast<std::ptrdiff_t>(random_.below(sas.size()))));
        }
    }
    Duration some_time() { return milliseconds(1 + random_.below(random_.below(2) ? 100 : 3000)); }

    FakeCluster cluster_{3};
    Kernels kernels_;
    Random random_;
    std::uint32_t server_ = 0;
    std::uint32_t last_spi_ = 0;
    std::set<std::uint32_t> dead_;
};

TEST(IpsecNumbers, NoneIsUsedTwice) {
    std::uint64_t jumps = 0;
    std::uint64_t used = 0;
    std::uint64_t ended = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Story story(seed);
        for (int step = 0; step < 40; ++step) {
            story.step();
            ASSERT_EQ(story.kernels_.used_twice_, 0U) << "seed " << seed << ", step " << step;
            ASSERT_EQ(story.kernels_.ended_alive_, 0U) << "seed " << seed << ", step " << step;
        }
        jumps += story.kernels_.jumps_;
        used += story.kernels_.used_.size();
        ended += story.kernels_.ended_;
    }
    EXPECT_GT(jumps, 100U) << "these stories prove nothing";
    EXPECT_GT(used, 100U);
    EXPECT_GT(ended, 20U);
}

TEST(IpsecNumbers, APlannedMoveLeavesNoneOut) {
    Story story(1);
    story.pass(seconds(5));
    for (const std::uint32_t next : {2U, 3U, 1U, 3U}) {
        ASSERT_TRUE(story.cluster_.begin_demote(story.server_));
        story.promote(next);
        EXPECT_EQ(story.server_, next);
        story.pass(milliseconds(300));
        story.establish();
        story.pass(seconds(2));
    }
    EXPECT_EQ(story.kernels_.used_[1].node, 3U);
    EXPECT_EQ(story.kernels_.jumps_, 0U);
    EXPECT_EQ(story.kernels_.used_twice_, 0U);
}

TEST(IpsecNumbers, APowerCutLeavesOutNoMoreThanTheLead) {
    Story story(1);
    for (const std::uint32_t next : {2U, 3U, 1U, 3U}) {
        story.pass(seconds(5));
        story.cut(story.server_);
        story.promote(next);
        EXPECT_EQ(story.server_, next);
        story.pass(seconds(1));
        story.bring_back();
    }
    EXPECT_EQ(story.kernels_.jumps_, 8U);
    EXPECT_LE(story.kernels_.largest_jump_, limits::kEspLead);
    EXPECT_EQ(story.kernels_.used_twice_, 0U);
}

}  // namespace ipsec_numbers_test
}  // namespace vpnha::node
