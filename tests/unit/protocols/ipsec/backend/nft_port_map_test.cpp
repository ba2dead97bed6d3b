// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/nft_port_map.hpp"

#include <gmock/gmock.h>
#include <sched.h>

#include <optional>

#include "host/netlink/nftables.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace nft_port_map_test {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Duration kTurn = std::chrono::milliseconds(10);
constexpr int kTurnsMax = 500;

class NftPortMapTest : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(unshare(CLONE_NEWNET), 0) << "needs root";
        map_.emplace(loop_, 1,
                     std::set{parse_ip("192.0.2.100").value_or(IpAddress{}),
                              parse_ip("2001:db8::100").value_or(IpAddress{})},
                     std::uint16_t{1703});
    }
    void turn() {
        loop_.set_timer(2, QbLoop::now() + kTurn, [this] { loop_.stop(); });
        loop_.run();
    }
    // What is there when it has `text`, or when it was given up. `text` is of a rule or an element:
    // until a first transaction that makes, deletes and makes the table is committed, the kernel
    // may list the table that it deletes, which is empty (nft_deactivate_next in
    // include/net/netfilter/nf_tables.h).
    std::string rules_with(const std::string& text) {
        std::string rules;
        for (int i = 0; i < kTurnsMax && rules.find(text) == std::string::npos; ++i) {
            turn();
            rules = vpnha::testing::output_of("nft list ruleset");
        }
        return rules;
    }
    static ipsec::PortMapping client(std::uint16_t port, std::uint32_t mark, bool answers = true) {
        return {parse_ip("198.51.100.7").value_or(IpAddress{}), port, 1701, mark, answers};
    }

    QbLoop loop_;
    std::optional<NftPortMap> map_;
};

TEST_F(NftPortMapTest, UnknownMarksAreDroppedBeforeThereIsAnyClient) {
    const std::string rules = rules_with("jump decrypted");
    EXPECT_THAT(rules, HasSubstr("ip daddr 192.0.2.100 udp dport 1703 meta ipsec exists meta mark "
                                 "!= 0x00000000 jump decrypted"));
    EXPECT_THAT(rules, Not(HasSubstr("elements")));
}

TEST_F(NftPortMapTest, TheLatestMappingsCount) {
    map_->map({client(20000, 1)});
    map_->map({client(20000, 1, false), client(20000, 3), client(20001, 2)});
    const std::string rules = rules_with("0x00000003");
    EXPECT_THAT(rules, HasSubstr("0x00000001 : 20000"));
    EXPECT_THAT(rules, HasSubstr("198.51.100.7 . 20000 : 0x00000003"));
    EXPECT_THAT(rules, HasSubstr("198.51.100.7 . 20001 : 0x00000002"));
    EXPECT_THAT(rules, HasSubstr("198.51.100.7 . 20001 : 1701"));
    EXPECT_THAT(rules, Not(HasSubstr("20000 : 0x00000001"))) << "the older SA is only listened to";
}

TEST_F(NftPortMapTest, WhoeverFlushesItIsUndone) {
    map_->map({client(20000, 1)});
    ASSERT_THAT(rules_with("20000"), HasSubstr("20000"));
    ASSERT_TRUE(run_nftables("flush ruleset"));
    EXPECT_THAT(rules_with("20000"), HasSubstr("20000"));
}

}  // namespace nft_port_map_test
}  // namespace vpnha::adapters
