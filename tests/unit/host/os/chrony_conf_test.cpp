// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/chrony_conf.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vpnha::adapters {
namespace chrony_conf_test {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ChronyConfTest : public testing::Test {
  protected:
    ChronyConfTest() { fs::create_directories(directory_); }
    ~ChronyConfTest() override { fs::remove_all(directory_); }

    [[nodiscard]] std::string path(const std::string& name) const {
        return (directory_ / name).string();
    }
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories(fs::path(path(name)).parent_path());
        std::ofstream(path(name)) << text;
    }
    [[nodiscard]] Result<std::optional<SlewLimit>> read() const {
        return read_slew_limit(path("chrony.conf"));
    }
    void expect(double ppm, const std::string& where) const {
        const auto limit = read();
        ASSERT_TRUE(limit.has_value()) << limit.error().detail;
        ASSERT_TRUE(limit->has_value());
        EXPECT_NEAR((*limit)->ppm, ppm, 1);
        EXPECT_EQ((*limit)->where, where);
    }
    void expect_error(Errc code, const std::string& detail) const {
        const auto limit = read();
        ASSERT_FALSE(limit.has_value());
        EXPECT_EQ(limit.error().code, code);
        EXPECT_THAT(limit.error().detail, HasSubstr(detail));
    }

  private:
    fs::path directory_ =
        fs::temp_directory_path() / ("vpnha-chrony-" + std::to_string(::getpid()));
};

TEST_F(ChronyConfTest, WithoutAFileThereIsNoChrony) {
    const auto limit = read();
    ASSERT_TRUE(limit.has_value());
    EXPECT_FALSE(limit->has_value());
}

TEST_F(ChronyConfTest, WithoutALineItIsTheDefault) {
    write("chrony.conf", "pool 2.debian.pool.ntp.org iburst\nmakestep 1 3\n");
    expect(83'333, "");
    write("chrony.conf", "");
    expect(83'333, "");
}

TEST_F(ChronyConfTest, TheLastLineCountsWhateverItsCaseAndSpaces) {
    write("chrony.conf", "maxslewrate 500\n\n  MaxSlewRate\t 1e3 ");
    expect(1000, path("chrony.conf:3"));
}

TEST_F(ChronyConfTest, CommentsAreNoLines) {
    write("chrony.conf", "#maxslewrate 1\n ! maxslewrate 2\n;maxslewrate 3\n% maxslewrate 4\n");
    expect(83'333, "");
}

TEST_F(ChronyConfTest, LinuxLetsItSlewByATenth) {
    write("chrony.conf", "maxslewrate 1000000\n");
    expect(100'000, path("chrony.conf:1"));
}

TEST_F(ChronyConfTest, WhatIsNoNumberIsAnErrorWithItsLine) {
    for (const char* value : {"fast", "100ppm", "nan", "-1"}) {
        write("chrony.conf", std::string("rtcsync\nmaxslewrate ") + value + "\n");
        expect_error(Errc::invalid_config, "chrony.conf:2: maxslewrate takes a number");
    }
}

TEST_F(ChronyConfTest, FollowsIncludesWhereTheyStand) {
    write("extra/a.conf", "maxslewrate 95000\n");
    write("chrony.conf", "maxslewrate 10\ninclude " + path("extra/*.conf") + "\n");
    expect(95'000, path("extra/a.conf:1"));
    write("chrony.conf", "include " + path("extra/*.conf") + "\nmaxslewrate 10\n");
    expect(10, path("chrony.conf:2"));
    write("chrony.conf", "include " + path("none/*.conf") + "\n");
    expect(83'333, "");
}

TEST_F(ChronyConfTest, AnIncludedFileThatIsMissingIsAnError) {
    write("chrony.conf", "include " + path("missing.conf") + "\n");
    expect_error(Errc::system, path("missing.conf"));
}

TEST_F(ChronyConfTest, AFileThatIncludesItselfIsAnError) {
    write("chrony.conf", "include " + path("chrony.conf") + "\n");
    expect_error(Errc::invalid_config, "more than 10 deep");
}

TEST_F(ChronyConfTest, OfConfdirsTheFilesAreInOrderOfTheirNamesAndTheFirstOfANameCounts) {
    write("one/20.conf", "maxslewrate 20\n");
    write("two/10.conf", "maxslewrate 10\n");
    write("two/20.conf", "maxslewrate 99000\n");
    write("two/30.conf.bak", "maxslewrate 99000\n");
    write("chrony.conf", "confdir " + path("one") + " " + path("two") + " " + path("none") + "\n");
    expect(20, path("one/20.conf:1"));
}

TEST_F(ChronyConfTest, ASourcedirHoldsServersOnly) {
    write("sources/a.sources", "maxslewrate 99000\n");
    write("chrony.conf", "sourcedir " + path("sources") + "\n");
    expect(83'333, "");
}

TEST_F(ChronyConfTest, ADirectoryIsNoFile) {
    fs::create_directories(path("chrony.conf"));
    expect_error(Errc::system, "Is a directory");
}

}  // namespace chrony_conf_test
}  // namespace vpnha::adapters
