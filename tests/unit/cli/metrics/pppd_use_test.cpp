// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/pppd_use.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "host/os/text_file.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::cli {
namespace pppd_use_test {

// As the kernel has it, with 100, 20, 3 and 4 ticks, and 250 pages.
std::string stat_of(const std::string& program, char state = 'S', int parent = 1) {
    return fmt::format(
        "812 ({}) {} {} 812 812 0 -1 4194560 1500 0 0 0 100 20 3 4 20 0 1 0 5000 9876543 250 "
        "18446744073709551615 1 1 0 0 0 0 0 4096 0 1 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
        program, state, parent);
}

std::string proc_with(const std::vector<std::string>& stats) {
    const std::filesystem::path proc = temporary_path("proc");
    std::filesystem::remove_all(proc);
    for (std::size_t i = 0; i < stats.size(); ++i) {
        const std::filesystem::path process = proc / std::to_string(i + 1);
        std::filesystem::create_directories(process);
        EXPECT_TRUE(adapters::write_text(process / "stat", stats[i]));
    }
    return proc;
}

TEST(PppdUseTest, CountsPppdsAndTheirDaemons) {
    const auto use =
        read_pppd_use(proc_with({stat_of("systemd"), stat_of("xl2tpd"), stat_of("pppd"),
                                 stat_of("pppd"), stat_of("pppd", 'Z'), stat_of("a) S (pppd")}));
    ASSERT_TRUE(use);
    EXPECT_EQ(use->processes, 2U);
    EXPECT_EQ(use->memory_bytes, 500U * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    EXPECT_DOUBLE_EQ(use->processor_s, 4 * 127.0 / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

TEST(PppdUseTest, WhatADaemonHasForkedCountsWithIt) {
    const auto use =
        read_pppd_use(proc_with({stat_of("systemd", 'S', 0), stat_of("worker", 'S', 3),
                                 stat_of("forked", 'S', 4), stat_of("pptpd"), stat_of("other")}));
    ASSERT_TRUE(use);
    EXPECT_EQ(use->processes, 0U);
    EXPECT_DOUBLE_EQ(use->processor_s, 3 * 127.0 / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

TEST(PppdUseTest, WhoSeesNoOtherProcessKnowsNothing) {
    EXPECT_FALSE(read_pppd_use(temporary_path("no-proc")));
    EXPECT_TRUE(read_pppd_use());
}

TEST(PppdUseTest, WhatIsCutShortIsNone) {
    const auto use = read_pppd_use(proc_with({stat_of("systemd"), "7 (pppd) S 1 7\n", "7 (pppd"}));
    ASSERT_TRUE(use);
    EXPECT_EQ(use->processes, 0U);
}

}  // namespace pppd_use_test
}  // namespace vpnha::cli
