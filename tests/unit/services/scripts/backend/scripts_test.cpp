// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/scripts/backend/scripts.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "services/scripts/work.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::runtime {
namespace scripts_test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr GatewayId kGateway{1};

node::RunUpScripts up(std::uint16_t number) {
    const Bytes id{static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
    return {kGateway,
            {wire::RecordType::l2tp_session, wire::RecordId(id)},
            {.user = "alice",
             .our_address = parse_ipv4("10.200.0.1").value(),
             .peer_address = Ipv4Address{0x0ac80100U + number},
             .ipv6 = {},
             .established = {}}};
}

node::RunDownScripts down(std::uint16_t number) {
    return {kGateway, up(number).session};
}

std::string no_interface(const wire::RecordKey&) {
    return {};
}

class ScriptsTest : public ::testing::Test {
  protected:
    ScriptsTest() { std::filesystem::create_directory(directory_); }
    ~ScriptsTest() override { std::filesystem::remove_all(directory_); }

    void script(const std::string& name, const std::string& text) {
        const std::string path = directory_ + "/" + name;
        std::ofstream(path) << "#!/bin/sh\ncd " << directory_ << "\n" << text << "\n";
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    }
    // Until all have run.
    void finish() {
        scripts_.complete([this] { loop_.stop(); });
        loop_.run();
    }
    [[nodiscard]] std::vector<std::string> lines(const std::string& name) const {
        std::vector<std::string> all;
        std::ifstream file(directory_ + "/" + name);
        for (std::string line; std::getline(file, line);) {
            all.push_back(line);
        }
        return all;
    }

    std::string directory_ = temporary_path("all-scripts");
    adapters::QbLoop loop_;
    Scripts scripts_{loop_, no_interface, {directory_, 2s}};
};

TEST_F(ScriptsTest, UpAndDownHaveTheSameArgumentsAndKeepTheirOrder) {
    script("ip-up", "sleep 0.2\necho \"up $1 $5\" >>log");
    script("ip-down", "echo \"down $1 $5\" >>log");
    scripts_.execute(up(1), "vpnha3");
    scripts_.execute(down(1));
    finish();
    EXPECT_THAT(lines("log"), ElementsAre("up vpnha3 10.200.1.1", "down vpnha3 10.200.1.1"));
    EXPECT_EQ(scripts_.counters().done, 2U);
}

TEST_F(ScriptsTest, AFewRunAtOnceAndAllRun) {
    script("ip-up",
           "ls running-* 2>/dev/null | wc -l >>log\n: >running-$$\nsleep 0.05\n"
           "rm running-$$");
    for (std::uint16_t number = 1; number <= 20; ++number) {
        scripts_.execute(up(number), "vpnha3");
    }
    EXPECT_EQ(scripts_.waiting(), 20 - limits::kScriptsAtOnce);
    finish();
    EXPECT_THAT(lines("log"), SizeIs(20));
    for (const std::string& others : lines("log")) {
        EXPECT_LT(std::stoul(others), limits::kScriptsAtOnce);
    }
    EXPECT_EQ(scripts_.counters().done, 20U);
}

TEST_F(ScriptsTest, WhatFailsOrHangsIsCountedAndHoldsUpNobody) {
    script("ip-up", "case $5 in *.1) exit 1;; *.2) sleep 1000;; esac\necho $5 >>log");
    for (std::uint16_t number = 1; number <= 3; ++number) {
        scripts_.execute(up(number), "vpnha3");
    }
    finish();
    EXPECT_THAT(lines("log"), ElementsAre("10.200.1.3"));
    const ScriptCounters& counters = scripts_.counters();
    EXPECT_EQ(counters.done, 1U);
    EXPECT_EQ(counters.failed, 1U);
    EXPECT_EQ(counters.killed, 1U);
}

TEST_F(ScriptsTest, WithoutScriptsNothingIsCounted) {
    scripts_.execute(up(1), "vpnha3");
    scripts_.execute(up(2), "");
    finish();
    const ScriptCounters& counters = scripts_.counters();
    EXPECT_EQ(counters.done + counters.failed + counters.killed + counters.dropped, 0U);
}

// vpnhad ends meanwhile.
TEST_F(ScriptsTest, TheEndWaitsForSoLong) {
    script("ip-up", "sleep 1000");
    Scripts scripts(loop_, no_interface, {directory_, 60s});
    scripts.execute(up(1), "vpnha3");
    const TimePoint begun = adapters::QbLoop::now();
    scripts.complete([this] { loop_.stop(); });
    loop_.run();
    EXPECT_GE(adapters::QbLoop::now() - begun, limits::kScriptsAtEnd);
}

}  // namespace scripts_test
}  // namespace vpnha::runtime
