// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/addresses/neighbour_watch.hpp"

#include <gmock/gmock.h>
#include <net/ethernet.h>

#include <algorithm>
#include <functional>

#include "host/addresses/neighbour.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace neighbour_watch_test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using vpnha::testing::Capture;
using vpnha::testing::ip_command;

IpAddress address(std::string_view text) {
    return parse_ip(text).value_or(IpAddress{});
}

class NeighbourWatchTest : public vpnha::testing::TwoHosts {
  protected:
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
        config_.gateways[0].links.outside_neighbours = {address("192.0.2.51"),
                                                        address("192.0.2.52")};
        config_.gateways[0].links.inside_neighbours = {address("2001:db8::51")};
        in_peer([] { ASSERT_TRUE(ip_command("addr add 2001:db8::51/64 dev peer1 nodad")); });
        watch_.emplace(
            config_, loop_, [this](GatewayId, LinkSide side, const IpAddress& neighbour) {
                answers_.push_back(std::string(to_string(side)) + " " + to_string(neighbour));
            });
    }
    std::vector<std::string> ask(LinkSide side) {
        watch_->ask(GatewayId{7}, side);
        loop_.set_timer(1, QbLoop::now() + 100ms, [this] { loop_.stop(); });
        loop_.run();
        return std::exchange(answers_, {});
    }
    // A link that was just set up drops the first question, and duplicate address detection of the
    // node's link-local address takes a second or two: asks again until someone answers.
    std::vector<std::string> ask_until_answered(LinkSide side) {
        for (int turns = 0; turns < kTurnsMax; ++turns) {
            if (auto answers = ask(side); !answers.empty()) {
                return answers;
            }
        }
        return {};
    }
    // The ARP question that arrives at the peer, from its sender's address on.
    std::string asked() {
        std::optional<Capture> capture;
        in_peer([&] { capture.emplace("peer0"); });
        for (int turns = 0; turns < kTurnsMax; ++turns) {
            static_cast<void>(ask(LinkSide::outside));
            const auto frame = capture->find(10ms, [](const Bytes& each) {
                return each.size() >= 42 && each[12] == 0x08 && each[13] == 0x06;
            });
            if (frame) {
                return to_hex(ByteView(*frame).subspan(28, 4));
            }
        }
        return "none";
    }

    static constexpr int kTurnsMax = 60;
    config::Config config_;
    QbLoop loop_;
    std::vector<std::string> answers_;
    std::optional<NeighbourWatch> watch_;
};

TEST_F(NeighbourWatchTest, WhoIsThereAnswers) {
    EXPECT_THAT(ask_until_answered(LinkSide::outside), ElementsAre("outside 192.0.2.51"));
}

TEST_F(NeighbourWatchTest, AnIpv6NeighbourAnswersTheLinkLocalAddress) {
    EXPECT_THAT(ask_until_answered(LinkSide::inside), ElementsAre("inside 2001:db8::51"));
}

TEST_F(NeighbourWatchTest, AsksInTheNameOfTheDevicesOwnAddress) {
    EXPECT_EQ(asked(), "c0000201");
}

TEST_F(NeighbourWatchTest, NeverAsksInTheNameOfAVip) {
    ASSERT_TRUE(ip_command("addr flush dev out0"));
    EXPECT_EQ(asked(), "00000000") << "there is no address";
    ASSERT_TRUE(ip_command("addr add 192.0.2.100/24 dev out0"));
    EXPECT_EQ(asked(), "00000000") << "there is the VIP only";
}

TEST_F(NeighbourWatchTest, ADeviceThatIsCreatedAnewIsAskedOn) {
    ASSERT_THAT(ask_until_answered(LinkSide::outside), ElementsAre("outside 192.0.2.51"));
    ASSERT_TRUE(ip_command("link del out0"));
    EXPECT_THAT(ask(LinkSide::outside), IsEmpty());
    plug_outside();
    watch_->forget("out0");
    EXPECT_THAT(ask_until_answered(LinkSide::outside), ElementsAre("outside 192.0.2.51"));
}

// What one station sends at once, as a flood does.
TEST_F(NeighbourWatchTest, AFloodOfAnswersIsReadInTurnsOfTheLoop) {
    ASSERT_THAT(ask_until_answered(LinkSide::outside), ElementsAre("outside 192.0.2.51"));
    in_peer([] {
        const auto sender = PacketSocket::open("peer0", ETHERTYPE_ARP);
        ASSERT_TRUE(sender);
        const ArpStation here{sender->mac(), vpnha::testing::ip("192.0.2.51")};
        for (int i = 0; i < 1000; ++i) {
            ASSERT_TRUE(sender->send_frame(encode_arp(ArpOperation::reply, here, here), "flood"));
        }
    });
    std::size_t last = 0;
    std::size_t most_at_once = 0;
    std::function<void()> look = [&] {
        most_at_once = std::max(most_at_once, answers_.size() - last);
        last = answers_.size();
        loop_.set_timer(2, QbLoop::now(), look);
    };
    look();
    loop_.set_timer(1, QbLoop::now() + 100ms, [this] { loop_.stop(); });
    loop_.run();
    EXPECT_GT(answers_.size(), 200U) << "as many as the socket takes";
    EXPECT_LT(most_at_once, 150U) << "others get a turn in between";
}

}  // namespace neighbour_watch_test
}  // namespace vpnha::adapters
