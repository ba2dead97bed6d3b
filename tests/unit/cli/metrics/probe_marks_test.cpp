// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/probe_marks.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "host/os/text_file.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::cli {
namespace probe_marks_test {

TEST(ProbeMarksTest, EachGatewayThatIsProbedHasOne) {
    const std::filesystem::path directory = temporary_path("probes");
    std::filesystem::create_directories(directory);
    const auto write = [&](const char* name, const char* text) {
        EXPECT_TRUE(adapters::write_text(directory / name, text));
    };
    write("probe", R"({"gateway":"dialin","verdict":"dead","against":0,"since":5,"reason":"x"})");
    write("probe-2", R"({"gateway":"apart","verdict":"alive"})");
    write("unknown", R"({"gateway":"new","verdict":""})");
    write("of-before", R"({"verdict":"alive"})");
    write("half", R"({"gateway":"dia)");
    const auto marks = read_probe_marks(directory);
    std::filesystem::remove_all(directory);
    ASSERT_EQ(marks.size(), 2U);
    EXPECT_EQ(marks[0].gateway, "apart");
    EXPECT_FALSE(marks[0].is_dead);
    EXPECT_EQ(marks[1].gateway, "dialin");
    EXPECT_TRUE(marks[1].is_dead);
}

TEST(ProbeMarksTest, WithoutProbesThereAreNone) {
    EXPECT_TRUE(read_probe_marks("/nonexistent/probe").empty());
}

}  // namespace probe_marks_test
}  // namespace vpnha::cli
