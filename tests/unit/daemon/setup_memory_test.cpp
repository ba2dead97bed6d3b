// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/setup_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "daemon/setup_events.hpp"
#include "host/os/log.hpp"
#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace setup_memory_test {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::uint64_t kMark = 77;
constexpr GatewayId kNode{0};
constexpr GatewayId kGateway{1};

std::vector<wire::Setup> setups(std::vector<wire::Fingerprint> of_gateway) {
    return {{kNode, {{"lease.duration", wire::Weight::note, 5}}},
            {kGateway, std::move(of_gateway)}};
}

const std::vector<wire::Setup> kBefore =
    setups({{"pools", wire::Weight::session, 1}, {"secrets /etc/ppp/x", wire::Weight::session, 2}});

std::vector<std::string> lines_of(const std::vector<SetupMemory::Change>& changes) {
    std::vector<std::string> lines;
    for (const SetupMemory::Change& change : changes) {
        lines.push_back(line_of(change, change.gateway == kNode ? "" : "dialin"));
    }
    return lines;
}

TEST(SetupMemoryTest, TheFirstSetupIsNoChange) {
    SetupMemory memory;
    EXPECT_THAT(memory.take(kBefore, kMark), IsEmpty());
    EXPECT_THAT(memory.take(kBefore, kMark), IsEmpty());
}

TEST(SetupMemoryTest, EachChangeHasTheOldAndTheNewFingerprint) {
    SetupMemory memory;
    static_cast<void>(memory.take(kBefore, kMark));
    const auto now = setups({{"secrets /etc/ppp/x", wire::Weight::session, 0xab}});
    EXPECT_THAT(lines_of(memory.take(now, kMark)),
                ElementsAre("gateway dialin: secrets /etc/ppp/x has changed event=config-changed "
                            "gateway=dialin item=secrets:/etc/ppp/x old=0000000000000002 "
                            "new=00000000000000ab",
                            "gateway dialin: pools was removed event=config-changed gateway=dialin "
                            "item=pools old=0000000000000001 new=none"));
    EXPECT_THAT(memory.take(now, kMark), IsEmpty());
    EXPECT_THAT(lines_of(memory.take({kBefore[1]}, kMark)), SizeIs(3));
}

TEST(SetupMemoryTest, AnotherKeyIsOneChange) {
    SetupMemory memory;
    static_cast<void>(memory.take(kBefore, kMark));
    const auto now = setups({{"pools", wire::Weight::session, 9}});
    EXPECT_THAT(lines_of(memory.take(now, kMark + 1)),
                ElementsAre("totem.keyfile has changed event=config-changed item=totem.keyfile "
                            "old=000000000000004d new=000000000000004e"));
    EXPECT_THAT(memory.take(now, kMark + 1), IsEmpty());
}

TEST(SetupMemoryTest, WhatItRemembersIsReadAgain) {
    SetupMemory memory;
    static_cast<void>(memory.take(kBefore, kMark));
    SetupMemory again = SetupMemory::parse(memory.encode());
    EXPECT_EQ(again.encode(), memory.encode());
    EXPECT_THAT(again.take(kBefore, kMark), IsEmpty());
    EXPECT_THAT(lines_of(again.take(setups({}), kMark)), SizeIs(2));
}

TEST(SetupMemoryTest, WhatCannotBeReadIsNothing) {
    for (const char* const text : {"", "not a file of its own", "\n\n"}) {
        SetupMemory memory = SetupMemory::parse(text);
        EXPECT_THAT(memory.take(kBefore, kMark), IsEmpty()) << text;
    }
}

// Of vpnha.toml, which is read at the start alone.
TEST(SetupEventsTest, WhatChangedBetweenTwoStartsIsLogged) {
    const std::string log = temporary_path("setup.log");
    config::Config config;
    config.state_directory = temporary_path("state");
    config.gateways.resize(1);
    config.gateways[0].id = kGateway;
    config.gateways[0].name = "dialin";
    std::filesystem::create_directory(config.state_directory);
    ASSERT_TRUE(adapters::open_log("info", log).has_value());
    for (const auto& now : {kBefore, kBefore, setups({{"pools", wire::Weight::session, 8}})}) {
        adapters::QbLoop loop;
        SetupEvents events(loop, config);
        events.handle(now, std::nullopt);
        events.handle(now, kMark);
    }
    adapters::close_log();
    const std::string text = contents_of(log);
    EXPECT_THAT(text, HasSubstr("item=pools old=0000000000000001 new=0000000000000008"));
    EXPECT_THAT(text, HasSubstr("item=secrets:/etc/ppp/x old=0000000000000002 new=none"));
    EXPECT_THAT(text, Not(HasSubstr("lease.duration")));
    ::unlink(log.c_str());
}

}  // namespace setup_memory_test
}  // namespace vpnha::runtime
