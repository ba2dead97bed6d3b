// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of WireGuard, on a loop and a thread, with a kernel that is none.
#include "protocols/wireguard/backend/wireguard.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "protocols/wireguard/model/limits.hpp"
#include "support/sample_peer.hpp"

namespace vpnha::runtime {
namespace wireguard_test {

using node::WireguardEvent;
using ::testing::ElementsAre;
using wireguard::Peer;
using wireguard::PeerState;
using wireguard::PublicKey;
using wireguard::test::sample_key;
using wireguard::test::sample_peer;

constexpr GatewayId kGateway{1};
constexpr int kWatchdogTimer = 1;
constexpr int kFirstTimer = 100;

// Notes what is asked of it, in its order.
class FakeKernel final : public ports::PeerKernel {
  public:
    explicit FakeKernel(std::vector<std::string>& asked) : asked_(asked) {}

    Result<void> raise() override { return note("raise"); }
    Result<void> lower() override { return note("lower"); }
    std::vector<Result<void>> set(std::span<const node::SetPeer> peers) override {
        static_cast<void>(note(fmt::format("set {}", peers.size())));
        std::vector<Result<void>> results(peers.size());
        results.back() = fail(Errc::system, "no memory");
        return results;
    }
    Result<void> remove(const PublicKey&) override { return note("remove"); }
    Result<void> set_keepalives(std::span<const node::Keepalive> keepalives) override {
        return note(fmt::format("keepalives {}", keepalives.size()));
    }
    Result<void> use_vip(bool on) override { return note(on ? "vip" : "no vip"); }
    Result<std::vector<PeerState>> read() override {
        VPNHA_CHECK(note("read"));
        return peers_;
    }
    Result<std::vector<Peer>> load() override {
        VPNHA_CHECK(note("load"));
        return std::vector<Peer>(limits::kWireguardPeersPerSlice + 1, sample_peer());
    }

    Result<void> failure_;
    std::vector<PeerState> peers_;

  private:
    Result<void> note(std::string what) {
        asked_.push_back(std::move(what));
        return failure_;
    }
    std::vector<std::string>& asked_;
};

class WireguardTest : public ::testing::Test {
  protected:
    WireguardTest() {
        auto kernel = std::make_unique<FakeKernel>(asked_);
        kernel_ = kernel.get();
        Wireguard::Kernels kernels;
        kernels[kGateway] = std::move(kernel);
        backend_.emplace(loop_, kFirstTimer, std::move(kernels),
                         [this](GatewayId gateway, const effects::KeeperEvent& event) {
                             EXPECT_EQ(gateway, kGateway);
                             note(*event.get<WireguardEvent>());
                         });
    }

    template <class Work>
    void ask(Work work) {
        effects::ProtocolWork wrapped(std::move(work));
        ASSERT_TRUE(backend_->execute(wrapped));
    }
    // Turns until so many events have come.
    void run_until(std::size_t count) {
        wanted_ = count;
        loop_.set_timer(kWatchdogTimer, adapters::QbLoop::now() + std::chrono::seconds(10), [this] {
            ADD_FAILURE() << "the events do not come";
            loop_.stop();
        });
        loop_.run();
        loop_.cancel_timer(kWatchdogTimer);
    }
    void note(const WireguardEvent& event) {
        std::visit([this](const auto& each) { handle(each); }, event);
        if (notified_.size() >= wanted_) {
            loop_.stop();
        }
    }
    void handle(const node::DeviceRaised& raised) {
        notified_.push_back(raised.result ? "raised" : raised.result.error().detail);
    }
    void handle(const node::VipUsed&) { notified_.emplace_back("vip used"); }
    void handle(const node::PeerSet& set) {
        notified_.push_back(fmt::format("set {} {}", set.ticket, set.result ? "yes" : "no"));
    }
    void handle(const node::PeersRead& read) {
        notified_.push_back(
            fmt::format("read {}{}", read.peers.size(), read.is_last ? " last" : ""));
    }
    void handle(const node::DeviceGone&) { notified_.emplace_back("gone"); }
    void handle(const node::PeersLoaded& loaded) {
        notified_.push_back(
            fmt::format("loaded {}{}", loaded.peers.size(), loaded.is_last ? " last" : ""));
    }
    void handle(const node::PeersUnreadable& unreadable) { notified_.push_back(unreadable.why); }

    [[nodiscard]] static node::SetPeer setting(std::uint32_t number) {
        return {kGateway, sample_peer(number), number, true};
    }

    adapters::QbLoop loop_;
    std::vector<std::string> asked_;
    std::vector<std::string> notified_;
    std::size_t wanted_ = 0;
    FakeKernel* kernel_ = nullptr;
    std::optional<Wireguard> backend_;
};

TEST_F(WireguardTest, WhatIsAskedIsDoneInItsOrder) {
    ask(node::RaiseDevice{kGateway});
    ask(setting(1));
    ask(setting(2));
    ask(node::UseVip{kGateway, true});
    ask(node::SetKeepalives{kGateway, {{sample_key(1), 25}}});
    ask(node::RemovePeer{kGateway, sample_key(2)});
    ask(node::ReadPeers{kGateway, 7});
    run_until(5);
    EXPECT_THAT(asked_, ElementsAre("raise", "set 2", "vip", "keepalives 1", "remove", "read"));
    EXPECT_THAT(notified_,
                ElementsAre("raised", "set 1 yes", "set 2 no", "vip used", "read 0 last"));
}

TEST_F(WireguardTest, PeersOfOneTurnAreSetTogether) {
    ask(setting(1));
    ask(setting(2));
    ask(setting(3));
    run_until(3);
    EXPECT_THAT(asked_, ElementsAre("set 3"));
}

TEST_F(WireguardTest, AReadingReportsWhatHasChanged) {
    kernel_->peers_ = {{sample_key(1), std::nullopt, {}}, {sample_key(2), std::nullopt, {}}};
    ask(node::ReadPeers{kGateway, 1});
    run_until(1);
    ask(node::ReadPeers{kGateway, 2});
    run_until(2);
    kernel_->peers_[1].traffic.octets_in = 5;
    ask(node::ReadPeers{kGateway, 3});
    run_until(3);
    ask(node::RaiseDevice{kGateway});
    ask(node::ReadPeers{kGateway, 4});
    run_until(5);
    EXPECT_THAT(notified_,
                ElementsAre("read 2 last", "read 0 last", "read 1 last", "raised", "read 2 last"));
}

TEST_F(WireguardTest, ALongAnswerComesInSlices) {
    for (std::uint32_t i = 0; i < 2 * limits::kWireguardPeersPerSlice + 3; ++i) {
        kernel_->peers_.push_back({sample_key(i), std::nullopt, {}});
    }
    ask(node::ReadPeers{kGateway, 1});
    ask(node::LoadPeers{kGateway});
    run_until(5);
    EXPECT_THAT(notified_,
                ElementsAre("read 512", "read 512", "read 3 last", "loaded 512", "loaded 1 last"));
}

TEST_F(WireguardTest, FailuresHaveTheirWords) {
    kernel_->failure_ = fail(Errc::not_found, "there is none");
    ask(node::RaiseDevice{kGateway});
    ask(node::ReadPeers{kGateway, 1});
    ask(node::LoadPeers{kGateway});
    run_until(3);
    EXPECT_THAT(notified_, ElementsAre("there is none", "gone", "there is none"));
}

TEST_F(WireguardTest, WhatWasAskedIsDoneWhenItIsFinished) {
    ask(node::RaiseDevice{kGateway});
    ask(node::LowerDevice{kGateway});
    ask(setting(1));
    backend_->finish();
    EXPECT_THAT(asked_, ElementsAre("raise", "lower", "set 1"));
}

TEST_F(WireguardTest, AReadingThatFailsEndsAllTheSame) {
    kernel_->failure_ = fail(Errc::system, "no memory");
    ask(node::ReadPeers{kGateway, 1});
    run_until(1);
    EXPECT_THAT(notified_, ElementsAre("read 0 last"));
}

}  // namespace wireguard_test
}  // namespace vpnha::runtime
