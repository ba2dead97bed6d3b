// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/keeper/adaptive_echoes.hpp"

#include <gmock/gmock.h>

#include "services/accounting/work.hpp"

namespace vpnha::keepers {
namespace adaptive_echoes_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

wire::RecordKey record(std::uint8_t number) {
    return {wire::RecordType::l2tp_session, wire::RecordId(Bytes{number})};
}

class AdaptiveEchoesTest : public ::testing::Test {
  protected:
    void watch(std::uint8_t number, Duration interval) {
        echoes_.watch({record(number), Ipv4Address{number}, interval}, now_);
    }
    std::size_t asks() {
        effects::Effects effects;
        echoes_.ask(GatewayId{1}, now_, effects);
        return effects.size();
    }
    std::vector<wire::RecordKey> read(std::map<std::uint32_t, std::uint64_t> packets) {
        std::vector<node::DeviceTraffic> devices;
        for (const auto& [client, count] : packets) {
            devices.push_back({Ipv4Address{client}, client, {.packets_in = count}});
        }
        return echoes_.handle({0, devices});
    }
    TimePoint now_{seconds(1000)};
    AdaptiveEchoes echoes_;
};

TEST_F(AdaptiveEchoesTest, NamesThoseWhosePeersHaveSentSomething) {
    watch(1, seconds(10));
    watch(2, seconds(10));
    EXPECT_THAT(read({{1, 5}, {2, 5}}), IsEmpty()) << "nobody knows of before";
    EXPECT_THAT(read({{1, 6}, {2, 5}, {3, 9}}), ElementsAre(record(1)));
    EXPECT_THAT(read({{2, 7}}), ElementsAre(record(2))) << "without a device it has sent nothing";
    echoes_.forget(record(2));
    EXPECT_THAT(read({{1, 7}, {2, 8}}), ElementsAre(record(1)));
}

TEST_F(AdaptiveEchoesTest, AsksTwiceInTheShortestInterval) {
    EXPECT_EQ(asks(), 0U);
    EXPECT_EQ(echoes_.next_deadline(), std::nullopt);
    watch(1, seconds(30));
    watch(2, seconds(6));
    EXPECT_EQ(echoes_.next_deadline(), now_);
    EXPECT_EQ(asks(), 1U);
    EXPECT_EQ(echoes_.next_deadline(), now_ + seconds(3));
    now_ += milliseconds(2999);
    EXPECT_EQ(asks(), 0U);
    now_ += milliseconds(1);
    EXPECT_EQ(asks(), 1U);
    watch(3, seconds(1));
    EXPECT_EQ(asks(), 1U);
    EXPECT_EQ(echoes_.next_deadline(), now_ + seconds(1)) << "once a second at most";
    echoes_.clear();
    EXPECT_EQ(echoes_.next_deadline(), std::nullopt);
}

TEST_F(AdaptiveEchoesTest, OneThatSendsNoEchoesIsLeftOut) {
    watch(1, Duration::zero());
    EXPECT_EQ(asks(), 0U);
}

}  // namespace adaptive_echoes_test
}  // namespace vpnha::keepers
