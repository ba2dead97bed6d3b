// SPDX-License-Identifier: GPL-2.0-or-later
// ESP SAs of a real kernel: to be run as root inside a node of the lab.
#include "protocols/ipsec/backend/xfrm_table.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <thread>

#include "support/temporary_path.hpp"
#include "unit/host/addresses/two_hosts.hpp"

namespace vpnha::adapters {
namespace xfrm_table_test {

using ipsec::SaCounters;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vpnha::testing::ip_command;
using vpnha::testing::output_of;

constexpr int kTimer = 1;

class XfrmTableTest : public ::testing::Test {
  protected:
    void SetUp() override {
        testing::Namespace::enter_new();
        auto table = XfrmTable::open(loop_, kTimer, {*parse_ip("192.0.2.100")});
        ASSERT_TRUE(table) << table.error().detail;
        table_ = std::move(*table);
    }
    static void add(const std::string& from, const std::string& to, std::uint32_t spi,
                    const std::string& more = "replay-window 32") {
        ASSERT_TRUE(ip_command(
            fmt::format("xfrm state add src {} dst {} proto esp spi {:#x} mode transport "
                        "enc cbc(aes) 0x00112233445566778899aabbccddeeff "
                        "auth-trunc hmac(sha1) 0x0011223344556677889900112233445566778899 96 {}",
                        from, to, spi, more)));
    }
    std::vector<SaCounters> list() {
        std::vector<SaCounters> found;
        table_->list([&](const Result<ports::SaTable::Sas>& sas) {
            EXPECT_TRUE(sas) << sas.error().detail;
            found.assign(sas->begin(), sas->end());
            loop_.stop();
        });
        loop_.run();
        return found;
    }
    // By its SPI.
    SaCounters find(std::uint32_t spi) {
        for (const SaCounters& each : list()) {
            if (each.id.spi == spi) {
                return each;
            }
        }
        ADD_FAILURE() << "no SA " << spi;
        return {};
    }
    Result<void> set(std::vector<SaCounters> counters, bool exact = false) {
        Result<void> result;
        table_->set(std::move(counters), exact, [&](const Result<void>& done) {
            result = done;
            loop_.stop();
        });
        loop_.run();
        return result;
    }
    Result<void> flush() {
        Result<void> result;
        table_->flush([&](const Result<void>& done) {
            result = done;
            loop_.stop();
        });
        loop_.run();
        return result;
    }

    // From now on the loop has a turn each millisecond, and `longest_` is the longest time between
    // two of them.
    void beat() {
        loop_.set_timer(2, QbLoop::now() + std::chrono::milliseconds(1),
                        [this, last = QbLoop::now()] {
                            longest_ = std::max(longest_, QbLoop::now() - last);
                            beat();
                        });
    }

    QbLoop loop_;
    std::unique_ptr<XfrmTable> table_;
    Duration longest_{};
};

TEST_F(XfrmTableTest, TheGatewaysSasAreListedAndNoOthers) {
    add("192.0.2.100", "198.51.100.9", 1);
    add("198.51.100.9", "192.0.2.100", 2);
    add("192.0.2.1", "198.51.100.9", 3);
    EXPECT_THAT(list(), SizeIs(2));
    EXPECT_EQ(find(1).window, 32U);
    EXPECT_EQ(to_string(find(2).id.source), "198.51.100.9");
}

TEST_F(XfrmTableTest, NumbersOfEachKindAreSetAndNeverBack) {
    add("192.0.2.100", "198.51.100.9", 1);
    add("198.51.100.9", "192.0.2.100", 2, "replay-window 128");
    add("198.51.100.9", "192.0.2.100", 3, "replay-window 64 flag esn");
    add("198.51.100.9", "192.0.2.100", 4, "replay-window 32 mark 5 mask 0xffffffff");
    std::vector<SaCounters> wanted = list();
    ASSERT_THAT(wanted, SizeIs(4));
    for (SaCounters& each : wanted) {
        each.oseq = each.esn ? (1ULL << 32) + 7 : 1 << 20;
        each.seq = each.esn ? (2ULL << 32) + 70 : 5000;
        each.bitmap.front() = 0x55;
    }
    ASSERT_TRUE(set(wanted));
    EXPECT_EQ(list(), wanted);
    EXPECT_EQ(find(4).mark, 5U);
    std::vector<SaCounters> less = wanted;
    for (SaCounters& each : less) {
        each.oseq -= 5;
        each.seq -= 5;
    }
    ASSERT_TRUE(set(less));
    EXPECT_EQ(list(), wanted);
    ASSERT_TRUE(set(less, true));
    for (SaCounters& each : wanted) {
        each.oseq -= 5;
    }
    EXPECT_EQ(list(), wanted) << "what was received is never forgotten";
}

TEST_F(XfrmTableTest, WhatIsNotThereIsNamedAndTheOthersAreSet) {
    add("192.0.2.100", "198.51.100.9", 1);
    SaCounters there = find(1);
    there.oseq = 77;
    SaCounters missing = there;
    missing.id.spi = 0xdead;
    const Result<void> result = set({missing, there});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().detail, HasSubstr("0x0000dead from 192.0.2.100"));
    EXPECT_EQ(find(1).oseq, 77U);
}

TEST_F(XfrmTableTest, AFlushTakesTheGatewaysSasAndLeavesPolicies) {
    add("192.0.2.100", "198.51.100.9", 1);
    add("198.51.100.9", "192.0.2.100", 2, "replay-window 32 mark 5 mask 0xffffffff");
    add("192.0.2.1", "198.51.100.9", 3);
    ASSERT_TRUE(
        ip_command("xfrm policy add src 192.0.2.100 dst 198.51.100.9 dir out tmpl src "
                   "192.0.2.100 dst 198.51.100.9 proto esp mode transport"));
    ASSERT_TRUE(flush());
    EXPECT_THAT(list(), IsEmpty());
    EXPECT_THAT(output_of("ip xfrm state"), HasSubstr("spi 0x00000003"));
    EXPECT_THAT(output_of("ip xfrm policy"), HasSubstr("192.0.2.100"));
    EXPECT_TRUE(flush()) << "nothing is left to remove";
}

// The kernel looks for modules of an algorithm, and nobody else reaches its SAs meanwhile.
TEST_F(XfrmTableTest, AnAlgorithmThatIsLoadedHoldsUpNoLoop) {
    bool is_added = false;
    std::atomic<bool> has_ended = false;
    std::thread other([&] {
        is_added = ip_command(
            "xfrm state add src 192.0.2.100 dst 198.51.100.9 proto esp spi 1 mode transport "
            "enc cbc(des3_ede) 0x00112233445566778899aabbccddeeff1021324354657687 "
            "auth-trunc hmac(sha512) 0x0011223344556677889900112233445566778899001122334455667788"
            "9900112233445566778899001122334455667788 256");
        has_ended = true;
    });
    beat();
    while (!has_ended) {
        list();
    }
    other.join();
    EXPECT_TRUE(is_added);
    EXPECT_THAT(list(), SizeIs(1));
    EXPECT_LT(longest_, std::chrono::milliseconds(100));
}

TEST_F(XfrmTableTest, TwoThousandAreWorkedOffInTurnsOfTheLoop) {
    std::string commands;
    for (std::uint32_t spi = 1; spi <= 2000; ++spi) {
        commands += fmt::format(
            "xfrm state add src 192.0.2.100 dst 198.51.100.9 proto esp spi {} mode transport "
            "replay-window 32 enc cbc(aes) 0x00112233445566778899aabbccddeeff\n",
            spi);
    }
    const std::string file = temporary_path("xfrm-batch");
    std::ofstream(file) << commands;
    ASSERT_TRUE(ip_command("-batch " + file));
    beat();
    const TimePoint begin = QbLoop::now();
    std::vector<SaCounters> all = list();
    const TimePoint listed = QbLoop::now();
    ASSERT_THAT(all, SizeIs(2000));
    for (SaCounters& each : all) {
        each.oseq = 1 << 20;
    }
    ASSERT_TRUE(set(all));
    const TimePoint done = QbLoop::now();
    using std::chrono::duration_cast;
    using std::chrono::microseconds;
    std::printf("2000 SAs: listed in %lld us, set in %lld us, longest turn %lld us\n",
                static_cast<long long>(duration_cast<microseconds>(listed - begin).count()),
                static_cast<long long>(duration_cast<microseconds>(done - listed).count()),
                static_cast<long long>(duration_cast<microseconds>(longest_).count()));
    EXPECT_EQ(list(), all);
    EXPECT_LT(longest_, std::chrono::milliseconds(20));
}

}  // namespace xfrm_table_test
}  // namespace vpnha::adapters
