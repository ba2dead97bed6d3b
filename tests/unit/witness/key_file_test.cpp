// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/key_file.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "support/contents_of.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::witness {
namespace key_file_test {

using ::testing::HasSubstr;

lease::WitnessKey key_of(const std::string& cluster_key, const std::string& name) {
    return {"my cluster", name, lease::LeaseKey::of_witness(cluster_key, name).octets()};
}
std::string line_of(const std::string& cluster_key, const std::string& name) {
    return std::string(lease::WitnessKeyLine(key_of(cluster_key, name)).view());
}

class KeyFileTest : public ::testing::Test {
  protected:
    void SetUp() override { std::filesystem::create_directories(directory_); }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    Result<std::string> enrol_by(const std::string& text) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe(ends.data()), 0);
        EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
        ::close(ends[1]);
        auto done = enrol(ends[0], file_);
        ::close(ends[0]);
        return done;
    }

    std::string directory_ = temporary_path("witness-key");
    std::string file_ = directory_ + "/site1.key";
};

TEST_F(KeyFileTest, EnrolmentWritesAFileOfItsUserAlone) {
    const auto done = enrol_by(line_of("secret", "wit1"));
    ASSERT_TRUE(done) << done.error().detail;
    EXPECT_THAT(*done, HasSubstr("witness 'wit1' of cluster 'my cluster'"));
    struct stat found {};
    ASSERT_EQ(::stat(file_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777U, 0600U);
    EXPECT_FALSE(std::filesystem::exists(file_ + ".new"));
    const auto key = read_key_file(file_, "");
    ASSERT_TRUE(key) << key.error().detail;
    EXPECT_TRUE(lease::is_same_key(*key, key_of("secret", "wit1")));
    EXPECT_EQ(key->name, "wit1");
    EXPECT_EQ(key->cluster, "my cluster");
}

TEST_F(KeyFileTest, AnotherKeyIsRefusedAndTheSameOneIsNoHarm) {
    ASSERT_TRUE(enrol_by(line_of("secret", "wit1")));
    EXPECT_THAT(enrol_by(line_of("secret", "wit1")).value(), HasSubstr("had this key already"));
    const std::string before = contents_of(file_);
    for (const auto& [secret, name] : {std::pair("other", "wit1"), std::pair("secret", "wit2")}) {
        const auto done = enrol_by(line_of(secret, name));
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code, Errc::already_exists);
        EXPECT_THAT(done.error().detail, HasSubstr("witness 'wit1' of cluster 'my cluster'"));
        EXPECT_EQ(contents_of(file_), before);
    }
}

TEST_F(KeyFileTest, WhatIsNoLineOfVpnhaIsRefusedAndIsInNoError) {
    const std::string line = line_of("secret", "wit1");
    const std::string hex = line.substr(line.rfind(' ') + 1, 64);
    for (const std::string& text :
         {std::string(), std::string("hello\n"), line.substr(0, line.size() - 2), line + "more",
          line.substr(6), std::string(5'000, 'a')}) {
        const auto done = enrol_by(text);
        ASSERT_FALSE(done) << text;
        EXPECT_THAT(done.error().detail, ::testing::Not(HasSubstr(hex.substr(0, 16))));
        EXPECT_FALSE(std::filesystem::exists(file_)) << text;
    }
}

TEST_F(KeyFileTest, AFileThatOthersMayReadIsRefusedUnlessSystemdKeepsIt) {
    ASSERT_TRUE(enrol_by(line_of("secret", "wit1")));
    for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
        ASSERT_EQ(::chmod(file_.c_str(), mode), 0);
        const auto key = read_key_file(file_, "");
        ASSERT_FALSE(key) << mode;
        EXPECT_EQ(key.error().code, Errc::permission);
        EXPECT_THAT(key.error().detail, HasSubstr("chmod 600"));
        EXPECT_FALSE(enrol_by(line_of("secret", "wit1"))) << mode;
        EXPECT_TRUE(read_key_file(file_, directory_)) << mode;
        EXPECT_FALSE(read_key_file(file_, directory_ + "/site"));
    }
}

TEST_F(KeyFileTest, WithoutAFileTheErrorReportsHowToEnrol) {
    const auto key = read_key_file(file_, "");
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().detail, HasSubstr("vpnha witness-key | ssh"));
    EXPECT_THAT(read_key_file(directory_, "").error().detail, HasSubstr("is no file"));
}

}  // namespace key_file_test
}  // namespace vpnha::witness
