// SPDX-License-Identifier: GPL-2.0-or-later
// Needs root: a kernel in namespaces of its own.
#include "services/flows/backend/conntrack_settings.hpp"

#include <sys/wait.h>

#include <filesystem>

#include "support/temporary_path.hpp"
#include "unit/services/flows/backend/conntrack_host.hpp"

namespace vpnha::adapters {
namespace conntrack_settings_test {

using conntrack::Settings;

class ConntrackSettingsTest : public ConntrackHost {};

TEST_F(ConntrackSettingsTest, AreThoseOfTheOwnNamespace) {
    Settings settings = read_conntrack_settings();
    EXPECT_EQ(settings.ctnetlink, Settings::Ctnetlink::there);
    EXPECT_EQ(settings.events, 1U);
    EXPECT_EQ(settings.count, 0U);
    EXPECT_TRUE(settings.max.has_value());
    EXPECT_TRUE(settings.buckets.has_value());
    EXPECT_EQ(settings.conntrackd, std::nullopt);
    std::ofstream("/proc/sys/net/netfilter/nf_conntrack_events") << "2";
    install(udp_flow());
    settings = read_conntrack_settings();
    EXPECT_EQ(settings.events, 2U);
    EXPECT_EQ(settings.count, 1U);
}

TEST_F(ConntrackSettingsTest, WhoMayNotAskDoesNotKnow) {
    const pid_t child = fork();
    if (child == 0) {
        const bool nobody = ::setresuid(65534, 65534, 65534) == 0;
        const Settings settings = read_conntrack_settings();
        ::_exit(nobody && settings.ctnetlink == Settings::Ctnetlink::unknown && settings.events == 1
                    ? 0
                    : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST_F(ConntrackSettingsTest, WhatIsNotThereIsNotSet) {
    const std::string directory = temporary_path("no-settings");
    std::filesystem::create_directory(directory);
    std::ofstream(directory + "/nf_conntrack_events") << "";
    std::ofstream(directory + "/nf_conntrack_max") << "262144\n";
    const Settings settings = read_conntrack_settings(directory);
    EXPECT_EQ(settings.events, std::nullopt);
    EXPECT_EQ(settings.max, 262'144U);
    EXPECT_EQ(settings.buckets, std::nullopt);
    std::filesystem::remove_all(directory);
}

TEST_F(ConntrackSettingsTest, ModulesAreThoseThatAreLoaded) {
    const std::string list = temporary_path("modules");
    std::ofstream(list) << "nf_nat_ftp 20480 0 - Live 0x0000000000000000\n"
                           "nf_conntrack_ftp 20480 1 nf_nat_ftp, Live 0x0000000000000000\n";
    EXPECT_THAT(read_conntrack_settings("/proc/sys/net/netfilter", list).modules,
                ::testing::ElementsAre("nf_conntrack_ftp", "nf_nat_ftp"));
    std::filesystem::remove(list);
    EXPECT_THAT(read_conntrack_settings("/proc/sys/net/netfilter", list).modules,
                ::testing::IsEmpty())
        << "a kernel without modules has no list";
}

// A process of that name in this namespace; it ends with its input.
TEST_F(ConntrackSettingsTest, FindsARunningConntrackd) {
    std::array<int, 2> input{};
    std::array<int, 2> started{};
    ASSERT_EQ(::pipe2(input.data(), O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(started.data(), O_CLOEXEC), 0);
    const pid_t child = fork();
    if (child == 0) {
        ::dup2(input[0], STDIN_FILENO);
        ::execl("/bin/cat", "/usr/sbin/conntrackd", nullptr);
        ::_exit(1);
    }
    ::close(started[1]);
    char nothing = 0;
    ASSERT_EQ(::read(started[0], &nothing, 1), 0);  // It has executed: its end is closed.
    EXPECT_EQ(read_conntrack_settings().conntrackd, child);
    ::close(input[1]);
    ::close(input[0]);
    ::close(started[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
}

}  // namespace conntrack_settings_test
}  // namespace vpnha::adapters
