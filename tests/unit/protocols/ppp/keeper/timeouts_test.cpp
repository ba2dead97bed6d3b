// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/keeper/timeouts.hpp"

#include <gmock/gmock.h>

#include "cluster/replica/gateway_clock.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::keepers {
namespace timeouts_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Ipv4Address kClient{0x0ac80101};

class TimeoutsTest : public ::testing::Test {
  protected:
    // So old now.
    [[nodiscard]] Timeouts::Session session(ppp::Timeouts timeouts, Duration age = {}) const {
        return {{wire::RecordType::l2tp_session, wire::RecordId(Bytes{1})},
                timeouts,
                now_ - age,
                kClient};
    }
    // nullopt: it has no device of them.
    void read(std::optional<Traffic> traffic = Traffic{}) {
        std::vector<node::DeviceTraffic> devices;
        if (traffic) {
            devices.push_back({kClient, 7, *traffic});
        }
        effects::Effects effects;
        timeouts_.ask(GatewayId{1}, now_, effects);
        timeouts_.handle({0, devices}, now_);
    }
    bool asks() {
        effects::Effects effects;
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
    now_ += seconds(1'000'000);
    read();
    EXPECT_THAT(due(), IsEmpty());
}

TEST_F(TimeoutsTest, ASessionsTimeCountsFromItsBegin) {
    timeouts_.watch(session({120, 0}, milliseconds(61'500)), now_);
    EXPECT_EQ(timeouts_.next_deadline(), now_);
    EXPECT_TRUE(asks());
    EXPECT_FALSE(asks());
    read();
    EXPECT_EQ(timeouts_.next_deadline(), now_ + Timeouts::kPause);
    now_ += milliseconds(58'499);
    EXPECT_THAT(due(), IsEmpty());
    now_ += milliseconds(1);
    EXPECT_THAT(due(), ::testing::ElementsAre(EndCause::session_timeout));
    EXPECT_THAT(due(), IsEmpty());
    EXPECT_FALSE(timeouts_.next_deadline());
}

TEST_F(TimeoutsTest, ItsEndIsADeadline) {
    timeouts_.watch(session({120, 0}, seconds(115)), now_);
    read();
    EXPECT_EQ(timeouts_.next_deadline(), now_ + seconds(5));
}

TEST_F(TimeoutsTest, OneThatIsOverAlreadyEndsAtOnce) {
    timeouts_.watch(session({120, 0}, seconds(500)), now_);
    read();
    EXPECT_EQ(timeouts_.next_deadline(), now_ - seconds(380));
    EXPECT_THAT(due(), SizeIs(1));
}

TEST_F(TimeoutsTest, NoRecordOverflows) {
    replica::GatewayClock clock{GatewayId{1}};
    clock.set_wall(std::chrono::hours(24 * 365 * 56));
    Timeouts::Session late = session({0xffffffff, 0});
    late.began = clock.when(~std::uint64_t{0});
    timeouts_.watch(late, now_);
    read();
    EXPECT_THAT(due(), IsEmpty());
    late.began = clock.when(0);
    timeouts_.watch(late, now_);
    read();
    EXPECT_THAT(due(), IsEmpty()) << "136 years after 1970";
}

TEST_F(TimeoutsTest, AnIdleOneEndsAndNoSoonerThanIsAllowed) {
    timeouts_.watch(session({0, 60}), now_);
    read(Traffic{100, 200, 1, 2});
    now_ += seconds(49);
    read(Traffic{100, 200, 1, 2});
    EXPECT_THAT(due(), IsEmpty());
    now_ += seconds(10);
    read(Traffic{100, 240, 1, 3});  // A packet, at any time since the last reading.
    now_ += milliseconds(59'999);
    read(Traffic{100, 240, 1, 3});
    EXPECT_THAT(due(), IsEmpty());
    now_ += seconds(10);
    EXPECT_THAT(due(), IsEmpty()) << "without a reading nobody knows";
    read(Traffic{100, 240, 1, 3});
    EXPECT_THAT(due(), ::testing::ElementsAre(EndCause::idle_timeout));
}

TEST_F(TimeoutsTest, AReadingComesWhenAnIdleOneMayEnd) {
    const TimePoint begun = now_;
    timeouts_.watch(session({0, 15}), now_);
    read();
    EXPECT_EQ(timeouts_.next_deadline(), begun + Timeouts::kPause);
    now_ += Timeouts::kPause;
    read();
    EXPECT_EQ(timeouts_.next_deadline(), begun + seconds(15)) << "not 20 s";
    now_ = begun + seconds(15);
    read();
    EXPECT_THAT(due(), ::testing::ElementsAre(EndCause::idle_timeout));
}

TEST_F(TimeoutsTest, ADeviceThatIsNotSeenMayBeBusy) {
    timeouts_.watch(session({0, 60}), now_);
    for (int i = 0; i < 10; ++i) {
        read(i == 4 ? std::nullopt : std::optional(Traffic{1, 1, 1, 1}));
        EXPECT_THAT(due(), IsEmpty()) << i;
        now_ += seconds(10);
    }
    read(Traffic{1, 1, 1, 1});
    EXPECT_THAT(due(), IsEmpty());
    now_ += seconds(10);
    read(Traffic{1, 1, 1, 1});
    EXPECT_THAT(due(), SizeIs(1));
}

TEST_F(TimeoutsTest, TheFirstOfBothEndsIt) {
    timeouts_.watch(session({100, 60}, seconds(30)), now_);
    read();
    now_ += seconds(60);
    read();
    EXPECT_THAT(due(), ::testing::ElementsAre(EndCause::idle_timeout));
}

TEST_F(TimeoutsTest, OneThatIsOverIsForgotten) {
    timeouts_.watch(session({120, 0}, seconds(120)), now_);
    read();
    timeouts_.forget(session({}).record);
    EXPECT_THAT(due(), IsEmpty());
    EXPECT_FALSE(timeouts_.next_deadline());
}

TEST_F(TimeoutsTest, ManyEndInTurns) {
    for (std::uint8_t number = 0; number < 100; ++number) {
        Timeouts::Session each = session({120, 0}, seconds(120));
        each.record.id = wire::RecordId(Bytes{number});
        timeouts_.watch(each, now_);
    }
    read();
    EXPECT_THAT(due(), SizeIs(Timeouts::kPerTurn));
    EXPECT_EQ(timeouts_.next_deadline(), now_);
    EXPECT_THAT(due(), SizeIs(100 - Timeouts::kPerTurn));
}

}  // namespace timeouts_test
}  // namespace vpnha::keepers
