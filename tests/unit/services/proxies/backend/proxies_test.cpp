// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/proxies/backend/proxies.hpp"

#include <gmock/gmock.h>

#include "services/proxies/work.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::runtime {
namespace proxies_test {

using namespace std::chrono_literals;
using testing::Capture;
using ::testing::HasSubstr;
using testing::ip_command;
using ::testing::Not;
using testing::output_of;

class ProxiesTest : public testing::TwoHosts {
  protected:
    void execute(effects::ProtocolWork work) { EXPECT_TRUE(proxies_->execute(work)); }
    void SetUp() override {
        TwoHosts::SetUp();
        config_.gateways = {gateway()};
        auto table = adapters::ProxyTable::open();
        ASSERT_TRUE(table);
        proxies_.emplace(config_, loop_, std::move(*table));
        in_peer([this] { peer_side_.emplace("peer1"); });
    }
    void TearDown() override {
        proxies_.reset();
        peer_side_.reset();
        TwoHosts::TearDown();
    }
    static node::AnswerForClient answer(LinkSide side = LinkSide::inside) {
        return {GatewayId{7}, {{side, IpAddress(testing::ip("10.64.1.5"))}}};
    }
    void pass(std::chrono::milliseconds time) {
        loop_.set_timer(1, loop_.now() + time, [this] { loop_.stop(); });
        loop_.run();
    }
    // Of gratuitous ARP for the client, until now.
    int notified() {
        int count = 0;
        while (const auto frame = peer_side_->next(0ms)) {
            const Bytes arp{0x08, 0x06};
            const Bytes client{10, 64, 1, 5};
            count += frame->size() >= 42 &&
                     std::equal(arp.begin(), arp.end(), frame->begin() + 12) &&
                     std::equal(client.begin(), client.end(), frame->begin() + 28);
        }
        return count;
    }
    static std::string entries() { return output_of("ip neighbour show proxy"); }

    config::Config config_;
    adapters::QbLoop loop_;
    std::optional<Capture> peer_side_;
    std::optional<Proxies> proxies_;
};

TEST_F(ProxiesTest, AnswersAndNotifiesTheNeighboursTwice) {
    execute(answer());
    pass(100ms);
    EXPECT_THAT(entries(), HasSubstr("10.64.1.5 dev in0"));
    EXPECT_EQ(notified(), 2) << "a request and a reply";
    pass(1200ms);
    EXPECT_EQ(notified(), 2);
    pass(1200ms);
    EXPECT_EQ(notified(), 0);
}

TEST_F(ProxiesTest, WhatIsNoLongerWantedIsNeitherThereNorReported) {
    execute(answer());
    pass(100ms);
    EXPECT_EQ(notified(), 2);
    execute(node::StopAnswering{GatewayId{7}, answer().addresses});
    pass(50ms);
    EXPECT_THAT(entries(), Not(HasSubstr("10.64.1.5")));
    pass(1200ms);
    EXPECT_EQ(notified(), 0);
    // Before its turn has come.
    execute(answer());
    execute(node::StopAnswering{GatewayId{7}, answer().addresses});
    pass(100ms);
    EXPECT_THAT(entries(), Not(HasSubstr("10.64.1.5")));
}

// As pppd's of a session that a demotion has killed.
TEST_F(ProxiesTest, AnEntryOfSomebodyElseIsRemovedAsWell) {
    ASSERT_TRUE(ip_command("neighbour add proxy 10.64.1.5 dev in0"));
    execute(node::StopAnswering{GatewayId{7}, answer().addresses});
    pass(50ms);
    EXPECT_THAT(entries(), Not(HasSubstr("10.64.1.5")));
}

TEST_F(ProxiesTest, NothingIsLeftAtTheEnd) {
    execute(answer());
    pass(100ms);
    execute(node::StopAnswering{GatewayId{7}, answer().addresses});
    proxies_.reset();
    EXPECT_THAT(entries(), Not(HasSubstr("10.64.1.5")));
}

TEST_F(ProxiesTest, OneThatIsWantedAgainAtOnceStays) {
    execute(answer());
    pass(100ms);
    execute(node::StopAnswering{GatewayId{7}, answer().addresses});
    execute(answer());
    pass(100ms);
    EXPECT_THAT(entries(), HasSubstr("10.64.1.5 dev in0"));
}

TEST_F(ProxiesTest, ADeviceThatWasDownHasItsEntriesAgain) {
    execute(answer());
    pass(100ms);
    ASSERT_TRUE(ip_command("link set in0 down"));
    EXPECT_THAT(entries(), Not(HasSubstr("10.64.1.5")));
    ASSERT_TRUE(ip_command("link set in0 up"));
    proxies_->announce(GatewayId{7});
    pass(100ms);
    EXPECT_THAT(entries(), HasSubstr("10.64.1.5 dev in0"));
}

}  // namespace proxies_test
}  // namespace vpnha::runtime
