// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/timeouts.hpp"

#include <gmock/gmock.h>

namespace vpnha::keepers {
namespace timeouts_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kBeganMs = 1'767'225'600'000;
constexpr Ipv4Address kClient{0x0ac80101};

class TimeoutsTest : public ::testing::Test {
  protected:
    static Timeouts::Session session(ppp::Timeouts timeouts, std::uint8_t number = 1) {
        return {{wire::RecordType::l2tp_session, wire::RecordId(Bytes{number})},
                timeouts,
                kBeganMs,
                kClient};
    }
    // A reading so long after the sessions' begin. nullopt: it has no device of them.
    void read(Duration age, std::optional<Traffic> traffic = Traffic{}) {
        std::vector<node::DeviceTraffic> devices;
        if (traffic) {
            devices.push_back({kClient, 7, *traffic});
        }
        node::Effects effects;
        timeouts_.ask(GatewayId{1}, now_, effects);
        const auto age_ms = std::chrono::duration_cast<milliseconds>(age).count();
        timeouts_.hear({0, kBeganMs + static_cast<std::uint64_t>(age_ms), devices}, now_);
    }
    bool asks() {
        node::Effects effects;
        timeouts_.ask(GatewayId{1}, now_, effects);
        return !effects.empty();
    }
    std::vector<EndCause> due() {
        std::vector<EndCause> causes;
        for (const Timeouts::Due& each : timeouts_.take_due(now_)) {
            causes.push_back(each.cause);
        }
        return causes;
    }

    TimePoint now_ = TimePoint{} + seconds(5000);
    Timeouts timeouts_;
};

TEST_F(TimeoutsTest, WhatHasNoneIsNoneOfItsBusiness) {
    timeouts_.watch(session({}), now_);
    EXPECT_FALSE(timeouts_.next_deadline());
    EXPECT_FALSE(asks());
    read(seconds(1'000'000));
    EXPECT_THAT(due(), IsEmpty());
}

TEST_F(TimeoutsTest, ASessionsTimeCountsFromItsBegin) {
    timeouts_.watch(session({120, 0}), now_);
    EXPECT_EQ(timeouts_.next_deadline(), now_);
    EXPECT_TRUE(asks());
    EXPECT_FALSE(asks());
    EXPECT_THAT(due(), IsEmpty()) << "nobody knows the time yet";
    read(milliseconds(61'500));
    EXPECT_EQ(timeouts_.next_deadline(), now_ + Timeouts::kPause);
    now_ += milliseconds(58'499);
    EXPECT_THAT(due(), IsEmpty());
    now_ += milliseconds(1);
    EXPECT_THAT(due(), ::testing::ElementsAre(EndCause::session_timeout));
    EXPECT_THAT(due(), IsEmpty());
    EXPECT_FALSE(timeouts_.next_deadline());
}

TEST_F(TimeoutsTest, ItsEndIsADeadline) {
    timeouts_.watch(session({120, 0}), now_);
    read(seconds(115));
    EXPECT_EQ(timeouts_.next_deadline(), now_ + seconds(5));
}

TEST_F(TimeoutsTest, ALaterReadingCorrectsTheClock) {
    timeouts_.watch(session({120, 0}), now_);
    read(seconds(109));
    now_ += milliseconds(10'900);
    read(seconds(60));
    now_ += seconds(59);
    EXPECT_THAT(due(), IsEmpty());
    now_ += seconds(1);
    EXPECT_THAT(due(), SizeIs(1));
}

TEST_F(TimeoutsTest, WhatOthersReadEachSecondIsHeededAsOftenAsItAsks) {
    timeouts_.watch(session({120, 0}), now_);
    read(seconds(60));
    now_ += seconds(1);
    read(seconds(120));
    EXPECT_THAT(due(), IsEmpty());
    now_ += Timeouts::kPause;
    read(seconds(120));
    EXPECT_THAT(due(), SizeIs(1));
}

TEST_F(TimeoutsTest, OneThatIsOverAlreadyEndsAtOnce) {
    timeouts_.watch(session({120, 0}), now_);
    read(seconds(500));
    EXPECT_EQ(timeouts_.next_deadline(), now_ - seconds(380));
    EXPECT_THAT(due(), SizeIs(1));
}

TEST_F(TimeoutsTest, NoClockAndNoRecordOverflows) {
    timeouts_.watch(session({0xffffffff, 0xffffffff}), now_);
    Timeouts::Session other = session({1, 0}, 2);
    other.began_unix_ms = ~std::uint64_t{0};
    timeouts_.watch(other, now_);
    EXPECT_TRUE(asks());
    timeouts_.hear({0, 0, {}}, now_);
    EXPECT_THAT(due(), IsEmpty());
    now_ += Timeouts::kPause;
    EXPECT_TRUE(asks());
    timeouts_.hear({0, ~std::uint64_t{0} - 1, {}}, now_);
    EXPECT_THAT(due(), SizeIs(1));
}

TEST_F(TimeoutsTest, AnIdleOneEndsAndNoSoonerThanIsAllowed) {
    timeouts_.watch(session({0, 60}), now_);
    read(seconds(0), Traffic{100, 200, 1, 2});
    now_ += seconds(49);
    read(seconds(0), Traffic{100, 200, 1, 2});
    EXPECT_THAT(due(), IsEmpty());
    now_ += seconds(10);
    read(seconds(0), Traffic{100, 240, 1, 3});  // A packet, at any time since the last reading.
    now_ += milliseconds(59'999);
    read(seconds(0), Traffic{100, 240, 1, 3});
    EXPECT_THAT(due(), IsEmpty());
    now_ += seconds(10);
    EXPECT_THAT(due(), IsEmpty()) << "without a reading nobody knows";
    read(seconds(0), Traffic{100, 240, 1, 3});
    EXPECT_THAT(due(), ::testing::ElementsAre(EndCause::idle_timeout));
}

TEST_F(TimeoutsTest, AReadingComesWhenAnIdleOneMayEnd) {
    const TimePoint begun = now_;
    timeouts_.watch(session({0, 15}), now_);
    read(seconds(0));
    EXPECT_EQ(timeouts_.next_deadline(), begun + Timeouts::kPause);
    now_ += Timeouts::kPause;
    read(seconds(10));
    EXPECT_EQ(timeouts_.next_deadline(), begun + seconds(15)) << "not 20 s";
    now_ = begun + seconds(15);
    read(seconds(15));
    EXPECT_THAT(due(), ::testing::ElementsAre(EndCause::idle_timeout));
}

TEST_F(TimeoutsTest, ADeviceThatIsNotSeenMayBeBusy) {
    timeouts_.watch(session({0, 60}), now_);
    for (int i = 0; i < 10; ++i) {
        read(seconds(0), i == 4 ? std::nullopt : std::optional(Traffic{1, 1, 1, 1}));
        EXPECT_THAT(due(), IsEmpty()) << i;
        now_ += seconds(10);
    }
    read(seconds(0), Traffic{1, 1, 1, 1});
    EXPECT_THAT(due(), IsEmpty());
    now_ += seconds(10);
    read(seconds(0), Traffic{1, 1, 1, 1});
    EXPECT_THAT(due(), SizeIs(1));
}

TEST_F(TimeoutsTest, TheFirstOfBothEndsIt) {
    timeouts_.watch(session({100, 60}), now_);
    read(seconds(30));
    now_ += seconds(60);
    read(seconds(90));
    EXPECT_THAT(due(), ::testing::ElementsAre(EndCause::idle_timeout));
}

TEST_F(TimeoutsTest, OneThatIsOverIsForgotten) {
    timeouts_.watch(session({120, 0}), now_);
    read(seconds(120));
    timeouts_.forget(session({}).record);
    EXPECT_THAT(due(), IsEmpty());
    EXPECT_FALSE(timeouts_.next_deadline());
}

TEST_F(TimeoutsTest, ManyEndInTurns) {
    for (std::uint8_t number = 0; number < 100; ++number) {
        timeouts_.watch(session({120, 0}, number), now_);
    }
    read(seconds(120));
    EXPECT_THAT(due(), SizeIs(Timeouts::kPerTurn));
    EXPECT_EQ(timeouts_.next_deadline(), now_);
    EXPECT_THAT(due(), SizeIs(100 - Timeouts::kPerTurn));
}

}  // namespace timeouts_test
}  // namespace vpnha::keepers
