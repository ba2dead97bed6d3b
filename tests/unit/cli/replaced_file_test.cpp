// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/replaced_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::cli {
namespace replaced_file_test {

using testing::StartsWith;

class ReplacedFileTest : public testing::Test {
  protected:
    ReplacedFileTest() { std::filesystem::create_directory(directory_); }
    ~ReplacedFileTest() override { std::filesystem::remove_all(directory_); }

    [[nodiscard]] std::string path() const { return directory_ + "/vpnha.prom"; }
    [[nodiscard]] std::string contents() const { return contents_of(path()); }
    [[nodiscard]] std::ptrdiff_t files() const {
        return std::distance(std::filesystem::directory_iterator(directory_), {});
    }

    std::string directory_ = temporary_path("replaced");
};

TEST_F(ReplacedFileTest, IsReadableByAllAndAlone) {
    const mode_t before = ::umask(0077);
    ASSERT_TRUE(replace_file(path(), "one\n").has_value());
    ::umask(before);
    EXPECT_EQ(contents(), "one\n");
    EXPECT_EQ(std::filesystem::status(path()).permissions(), std::filesystem::perms(0644));
    EXPECT_EQ(files(), 1);
}

TEST_F(ReplacedFileTest, WhoReadsTheOldOneReadsItWhole) {
    ASSERT_TRUE(replace_file(path(), "one\n").has_value());
    std::ifstream reader(path());
    ASSERT_TRUE(replace_file(path(), "two\n").has_value());
    std::string line;
    EXPECT_TRUE(std::getline(reader, line));
    EXPECT_EQ(line, "one");
    EXPECT_EQ(contents(), "two\n");
    EXPECT_EQ(files(), 1);
}

TEST_F(ReplacedFileTest, ReportsWhichFileAndWhy) {
    const std::string nowhere = directory_ + "/none/vpnha.prom";
    EXPECT_EQ(replace_file(nowhere, "x").error().detail,
              "cannot make a file beside " + nowhere + ": No such file or directory");
    ASSERT_TRUE(std::filesystem::create_directory(path()));
    EXPECT_THAT(replace_file(path(), "x").error().detail,
                StartsWith("cannot write " + path() + ": "));
    EXPECT_EQ(files(), 1) << "the hidden file is gone";
}

TEST_F(ReplacedFileTest, AFullDiskLeavesTheOldOne) {
    ASSERT_TRUE(replace_file(path(), "one\n").has_value());
    const auto limit_to = [](rlim_t octets) {
        rlimit limit{};
        EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = octets;
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    };
    const auto before = ::signal(SIGXFSZ, SIG_IGN);
    limit_to(4096);
    const Result<void> written = replace_file(path(), std::string(8192, 'x'));
    limit_to(RLIM_INFINITY);
    ::signal(SIGXFSZ, before);
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().detail, "cannot write " + path() + ": File too large");
    EXPECT_EQ(contents(), "one\n");
    EXPECT_EQ(files(), 1);
}

}  // namespace replaced_file_test
}  // namespace vpnha::cli
