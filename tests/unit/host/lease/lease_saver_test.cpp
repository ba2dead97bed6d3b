// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/lease_saver.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace lease_saver_test {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr GatewayId kOne{1};
constexpr GatewayId kTwo{2};

lease::Durable durable(std::uint64_t number) {
    lease::Durable durable;
    durable.granted = {number, NodeId{1}};
    durable.voters.current.nodes = {NodeId{1}, NodeId{2}, NodeId{3}};
    return durable;
}

class LeaseSaverTest : public ::testing::Test {
  protected:
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::unique_ptr<LeaseSaver> start() {
        auto saver = LeaseSaver::start(loop_, std::move(*LeaseFiles::open(directory_)));
        EXPECT_TRUE(saver.has_value());
        return std::move(*saver);
    }
    // Notes the end of that save; the loop ends with the last of `count`.
    ports::Leases::Done noting(const std::string& name, std::size_t count) {
        return [this, name, count](const Result<void>& result) {
            notified_.push_back(name + (result ? "" : " failed"));
            if (notified_.size() >= count) {
                loop_.stop();
            }
        };
    }
    // The disk stands still for saves of the gateway: whoever opens that for writing waits for a
    // reader.
    void stall(GatewayId gateway) { ASSERT_EQ(::mkfifo(spare(gateway).c_str(), 0600), 0); }
    [[nodiscard]] UniqueFd let_go(GatewayId gateway) const {
        return UniqueFd(::open(spare(gateway).c_str(), O_RDONLY | O_NONBLOCK));
    }
    [[nodiscard]] std::string spare(GatewayId gateway) const {
        return directory_ + "/gateway-" + std::to_string(gateway.value) + ".lease.new";
    }
    Epoch granted(GatewayId gateway) {
        return LeaseFiles::open(directory_)->load(gateway).value().value().granted;
    }

    std::string directory_ = temporary_path("saver");
    QbLoop loop_;
    std::vector<std::string> notified_;
};

TEST_F(LeaseSaverTest, ReportsWhenItIsOnTheDisk) {
    const auto saver = start();
    saver->save(kOne, durable(7), 7, noting("one", 2));
    saver->save(kTwo, durable(8), 8, noting("two", 2));
    EXPECT_THAT(notified_, IsEmpty()) << "not within the call";
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre("one", "two"));
    EXPECT_EQ(granted(kOne).number, 7U);
    EXPECT_EQ(granted(kTwo).number, 8U);
}

TEST_F(LeaseSaverTest, TheLoopTurnsWhileTheDiskStandsStillAndOnlyTheNewestThatWaitsIsWritten) {
    const auto saver = start();
    stall(kOne);
    saver->save(kOne, durable(1), 1, noting("first", 2));
    loop_.set_timer(1, QbLoop::now() + std::chrono::milliseconds(50), [&] {
        EXPECT_THAT(notified_, IsEmpty());
        saver->save(kOne, durable(2), 2, noting("replaced", 2));
        saver->save(kOne, durable(3), 3, noting("newest", 2));
        loop_.stop();
    });
    loop_.run();
    const UniqueFd reader = let_go(kOne);
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre("first", "newest"));
    EXPECT_EQ(granted(kOne).number, 3U);
}

// An event within another one's effects may overtake it: the newer content comes first.
TEST_F(LeaseSaverTest, AnOlderSaveThatComesLaterIsNotWrittenOverANewerOne) {
    const auto saver = start();
    stall(kTwo);
    saver->save(kTwo, durable(1), 1, noting("other gateway", 2));
    saver->save(kOne, durable(8), 2, noting("newer", 2));
    saver->save(kOne, durable(7), 1, noting("older", 2));
    const UniqueFd reader = let_go(kTwo);
    loop_.run();
    EXPECT_THAT(notified_, UnorderedElementsAre("other gateway", "newer"));
    EXPECT_EQ(granted(kOne).number, 8U);
}

TEST_F(LeaseSaverTest, AnOlderSaveIsNotWrittenBehindANewerOneThatIsUnderWay) {
    auto saver = start();
    stall(kOne);
    saver->save(kOne, durable(8), 2, noting("newer", 1));
    loop_.set_timer(1, QbLoop::now() + std::chrono::milliseconds(50), [&] {
        saver->save(kOne, durable(7), 1, noting("older", 1));
        loop_.stop();
    });
    loop_.run();
    const UniqueFd reader = let_go(kOne);
    loop_.run();
    saver.reset();  // What waits is written.
    EXPECT_THAT(notified_, ElementsAre("newer"));
    EXPECT_EQ(granted(kOne).number, 8U);
}

TEST_F(LeaseSaverTest, AFailureIsReportedAndTheNextSaveIsTried) {
    const auto saver = start();
    std::filesystem::create_directories(spare(kOne) + "/in-the-way");
    saver->save(kOne, durable(1), 1, noting("first", 1));
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre("first failed"));
    std::filesystem::remove_all(spare(kOne));
    saver->save(kOne, durable(2), 2, noting("second", 2));
    loop_.run();
    EXPECT_THAT(notified_, ElementsAre("first failed", "second"));
}

TEST_F(LeaseSaverTest, WhatWaitsIsWrittenBeforeItEnds) {
    start()->save(kOne, durable(9), 9, [](const Result<void>&) {});
    EXPECT_EQ(granted(kOne).number, 9U);
}

}  // namespace lease_saver_test
}  // namespace vpnha::adapters
