// SPDX-License-Identifier: GPL-2.0-or-later
// Two nodes with the keeper of IPsec SAs and a replica each, and what their charons and kernels do.
#pragma once

#include <gmock/gmock.h>

#include <deque>

#include "base/limits.hpp"
#include "protocols/ipsec/keeper/ipsec_sas.hpp"
#include "protocols/ipsec/work.hpp"
#include "support/ha_builder.hpp"
#include "unit/cluster/node/fake_gateway.hpp"

namespace vpnha::keepers {
namespace ipsec_pair {

using ipsec::SaCounters;
using ipsec::SaId;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::IkeSample;

inline const IpAddress kVip = parse_ip("192.0.2.100").value_or(IpAddress{});
inline const IpAddress kClient = parse_ip("198.51.100.7").value_or(IpAddress{});

inline const IpPrefix kVirtualPool = parse_ip_prefix("10.7.0.0/16").value_or(IpPrefix{});

inline constexpr std::uint64_t kUnixMs = 1'767'225'600'000;

// A node with its charon and its kernel.
class Site final : public FakeGateway {
  public:
    explicit Site(std::uint32_t node)
        : FakeGateway(GatewayId{1}, NodeId{node}),
          keeper_(*this, 1701, "l2tp-ipsec", {kVirtualPool}, true) {
        clock_.set_wall(milliseconds(kUnixMs) - seconds(1000));
    }

    using FakeGateway::replica_;

    void install_missing(TimePoint now, Effects&) override {
        ++asked_for_missing_;
        take(replica_.install_missing(), now);
    }

    void report_usage(const Usage& usage, TimePoint, Effects&) override { used_.push_back(usage); }
    void report_end(const wire::RecordKey& session, EndCause cause, TimePoint) override {
        over_.emplace_back(session, cause);
    }

    void take(replica::Effects&& from, TimePoint now) {
        carry_out(std::move(from), keeper_, sent_, now, effects_);
    }

    void notify(const node::IpsecEvent& event, TimePoint now) {
        keeper_.on_event(effects::KeeperEvent(event), now, effects_);
    }

    // What charon and the kernel do, and what follows from it.
    void run(TimePoint now) {
        keeper_.follow(now, effects_);
        while (!effects_.empty()) {
            for (effects::Effect& effect : std::exchange(effects_, {})) {
                if (auto* work = effects::find<node::IpsecWork>(effect)) {
                    std::visit([&](auto& each) { execute(each, now); }, *work);
                } else if (const auto* log = std::get_if<effects::Log>(&effect)) {
                    logged_.push_back(log->level);
                    last_logged_ = log->text;
                    texts_.push_back(log->text);
                }
            }
            keeper_.follow(now, effects_);
        }
    }

    void execute(node::FeedCharon& feed, TimePoint now) {
        for (Bytes& message : feed.messages) {
            const auto parsed = ipsec::parse_ha_message(message);
            const auto spi = parsed ? parsed->spi(ipsec::HaTag::inbound_spi) : std::nullopt;
            if (spi && parsed->type == ipsec::HaType::child_add && installs_) {
                add_child(*spi, *parsed->spi(ipsec::HaTag::outbound_spi));
            } else if (spi && parsed->type == ipsec::HaType::child_delete) {
                kernel_.erase({kClient, kVip, *spi});
            }
            fed_.push_back(std::move(message));
        }
        if (answers_) {
            notify(node::CharonFed{feed.ticket, {}}, now);
        } else {
            unanswered_ = feed.ticket;
        }
    }
    void execute(node::TurnCharon& turn, TimePoint now) {
        turns_.push_back(turn.active);
        if (turns_at_once_) {
            notify(node::CharonTurned{turn.active}, now);
        }
    }
    void execute(node::ListSas& list, TimePoint now) {
        std::vector<SaCounters> all;
        for (const auto& [id, each] : kernel_) {
            all.push_back(each);
        }
        if (lists_) {
            notify(node::SasListed{all, list.ticket}, now);
        } else {
            listing_ = {std::move(all), list.ticket};
        }
    }
    void execute(node::SetCounters& set, TimePoint now) {
        Result<void> result;
        for (const SaCounters& each : set.counters) {
            const auto found = kernel_.find(each.id);
            if (found == kernel_.end()) {
                result = fail(Errc::system, "no such SA");
                continue;
            }
            SaCounters& there = found->second;
            const std::uint64_t before = there.oseq;
            there = each;
            there.oseq = set.exact ? each.oseq : std::max(before, each.oseq);
        }
        ++sets_;
        if (sets_at_once_) {
            notify(node::CountersSet{set.ticket, result}, now);
        } else {
            setting_ = set.ticket;
        }
    }
    void execute(node::HoldEsp& hold, TimePoint now) {
        for (const std::uint32_t spi : hold.spis) {
            if (!hold.held) {
                held_.erase(spi);
            } else if (holds_) {
                held_.insert(spi);
            }
        }
        const bool done = !hold.held || holds_;
        notify(node::EspHeld{hold.ticket, done ? Result<void>{} : fail(Errc::system, "no memory")},
               now);
    }
    void execute(node::MapPorts& map, TimePoint) { mapped_ = std::move(map.mappings); }
    void execute(node::RekeyChildren& rekey, TimePoint) {
        rekeyed_.push_back(rekey.spis);
        refusing_ = rekey.refusing;
    }
    void execute(node::EndIkeSas& end, TimePoint) { ended_.push_back(end.sas); }
    void execute(node::WatchIke&, TimePoint) {}
    void execute(node::SendIke&, TimePoint) {}
    void execute(node::FlushSas& flush, TimePoint now) {
        ++flushes_;
        kernel_.clear();
        if (flushes_work_) {
            notify(node::SasFlushed{flush.ticket, {}}, now);
        } else {
            flushing_ = flush.ticket;
        }
    }

    void add_child(std::uint32_t in, std::uint32_t out) {
        kernel_[{kClient, kVip, in}] = {{kClient, kVip, in}, 0, 32, false, 0, 0, {0}};
        kernel_[{kVip, kClient, out}] = {{kVip, kClient, out}, 0, 0, false, 0, 0, {}};
    }
    SaCounters& in(std::uint32_t spi) { return kernel_.at({kClient, kVip, spi}); }
    SaCounters& out(std::uint32_t spi) { return kernel_.at({kVip, kClient, spi}); }

    IpsecSas keeper_;
    Effects effects_;
    std::deque<wire::Message> sent_;
    std::map<SaId, SaCounters> kernel_;
    std::vector<Bytes> fed_;
    std::vector<bool> turns_;
    std::vector<LogLevel> logged_;
    std::string last_logged_;
    std::vector<std::string> texts_;
    std::vector<ipsec::PortMapping> mapped_;
    std::vector<std::vector<std::uint32_t>> rekeyed_;
    std::vector<ipsec::IkeKey> refusing_;
    std::vector<std::vector<ipsec::IkeKey>> ended_;
    std::vector<Usage> used_;
    std::vector<std::pair<wire::RecordKey, EndCause>> over_;
    int asked_for_missing_ = 0;
    int sets_ = 0;
    int flushes_ = 0;
    bool sets_at_once_ = true;
    std::uint64_t setting_ = 0;
    bool lists_ = true;
    std::pair<std::vector<SaCounters>, std::uint64_t> listing_;  // Not answered.
    std::set<std::uint32_t> held_;
    bool holds_ = true;
    bool flushes_work_ = true;
    std::uint64_t flushing_ = 0;
    bool installs_ = true;
    bool answers_ = true;
    bool turns_at_once_ = true;
    std::uint64_t unanswered_ = 0;
};

class Pair : public ::testing::Test {
  protected:
    Pair() {
        for (Site* const site : {&a_, &b_}) {
            site->replica_.on_members({NodeId{1}, NodeId{2}}, true, now_);
            site->notify(node::CharonFresh{}, now_);
        }
        promote(a_, 1);
        settle();
    }

    void warm(Site& site, std::uint64_t number, std::optional<Duration> run_on) {
        site.keeper_.warm({epoch_of(site, number), run_on}, now_, site.effects_);
        site.run(now_);
    }
    [[nodiscard]] Epoch epoch_of(const Site& site, std::uint64_t number) const {
        return {number, NodeId{&site == &a_ ? 1U : 2U}};
    }
    void promote(Site& site, std::uint64_t number, Duration run_on = seconds(1)) {
        warm(site, number, run_on);
        site.take(site.replica_.begin_epoch(epoch_of(site, number), now_), now_);
        site.keeper_.promote(now_, site.effects_);
        site.run(now_);
    }
    void demote(Site& site) {
        site.keeper_.mute(site.effects_);
        site.replica_.end_epoch(now_);
        site.run(now_);
        site.take(site.replica_.install_missing(), now_);
        settle();
    }
    void settle() {
        for (int i = 0; i < 20; ++i) {
            for (Site* const site : {&a_, &b_}) {
                site->run(now_);
                site->take(site->replica_.flush(now_), now_);
                site->run(now_);
            }
            for (Site* const from : {&a_, &b_}) {
                for (const wire::Message& message : std::exchange(from->sent_, {})) {
                    for (Site* const to : {&a_, &b_}) {
                        to->take(
                            to->replica_.on_message(NodeId{from == &a_ ? 1U : 2U}, message, now_),
                            now_);
                    }
                }
            }
        }
    }
    void pass(Duration time) {
        const TimePoint end = now_ + time;
        while (now_ < end) {
            now_ = std::min(end, now_ + milliseconds(50));
            for (Site* const site : {&a_, &b_}) {
                const auto deadline = site->keeper_.next_deadline();
                if (deadline && *deadline <= now_) {
                    site->keeper_.on_time(now_, site->effects_);
                    site->run(now_);
                    const auto next = site->keeper_.next_deadline();
                    EXPECT_TRUE(!next || *next > now_) << "it would keep the loop busy";
                }
            }
            settle();
        }
    }
    void emit(const Bytes& message) { a_.notify(node::CharonEmitted{message}, now_); }
    void establish() {
        emit(first_.add());
        emit(build_mid(ipsec::HaType::ike_mid_responder, first_.id, 2));
        emit(first_.update());
        emit(first_.child(7, 8));
        a_.add_child(7, 8);
        settle();
    }
    void establish_childless(const IkeSample& sample) {
        emit(sample.add());
        emit(build_mid(ipsec::HaType::ike_mid_responder, sample.id, 2));
        emit(sample.update());
        settle();
    }
    // The client dials anew, and its CHILD SA is in A's kernel.
    void establish_whole(const IkeSample& sample, std::uint32_t spi) {
        establish_childless(sample);
        emit(sample.child(spi, spi + 1));
        a_.add_child(spi, spi + 1);
        settle();
    }
    static wire::RecordKey ike(const IkeSample& sample) {
        return {wire::RecordType::ike_sa, wire::RecordId(ipsec::encode_key(sample.id.key))};
    }
    static wire::RecordKey child(std::uint32_t spi) {
        return {wire::RecordType::child_sa, wire::RecordId(ipsec::encode_spi(spi))};
    }

    TimePoint now_{seconds(1000)};
    Site a_{1};
    Site b_{2};
    const IkeSample first_{test::ike_id(2, 1)};
    const IkeSample second_{test::ike_id(2, 2)};
};

}  // namespace ipsec_pair
}  // namespace vpnha::keepers
