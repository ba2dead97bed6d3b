// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/lease_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/limits.hpp"
#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace lease_files_test {

using testing::HasSubstr;

constexpr GatewayId kId{7};

lease::Durable sample() {
    lease::Durable durable;
    durable.claimed = {limits::kCounterMax, NodeId{4'294'967'295}};
    durable.granted = {12, NodeId{2}};
    durable.marks = {{NodeId{3}, {{1, 2, 255}}}};
    durable.voters.current = {{{5, NodeId{1}}, 2}, {NodeId{1}, NodeId{2}, NodeId{3}}};
    durable.voters.next = {{{5, NodeId{1}}, 3}, {NodeId{1}, NodeId{2}}};
    return durable;
}

class LeaseFilesTest : public testing::Test {
  protected:
    void TearDown() override { std::filesystem::remove_all(directory_); }

    LeaseFiles open() {
        auto files = LeaseFiles::open(directory_);
        EXPECT_TRUE(files) << files.error().detail;
        return std::move(*files);
    }

    std::string directory_ = temporary_path("leases");
    std::string file_ = directory_ + "/gateway-7.lease";
};

TEST_F(LeaseFilesTest, RemembersAllOfItOverAReopening) {
    EXPECT_FALSE(open().load(kId).value().has_value());
    ASSERT_TRUE(open().save(kId, sample()));
    EXPECT_EQ(open().load(kId).value().value(), sample());
    EXPECT_FALSE(open().load(GatewayId{8}).value().has_value());
}

TEST_F(LeaseFilesTest, OfAWitnessItRemembersWhetherItIsAhead) {
    EXPECT_FALSE(open().load_of_witness(kId).value().has_value());
    for (const bool ahead : {true, false}) {
        const lease::Witness::File file{sample(), ahead};
        ASSERT_TRUE(open().save(kId, file));
        EXPECT_EQ(open().load_of_witness(kId).value().value(), file);
    }
}

// Two epochs could be granted under one number: only a witness is ahead of its file.
TEST_F(LeaseFilesTest, ANodeTakesNoFileOfAWitnessAndAWitnessNoneOfANode) {
    ASSERT_TRUE(open().save(kId, lease::Witness::File{sample(), true}));
    EXPECT_THAT(open().load(kId).error().detail, HasSubstr("the file is of a witness"));
    ASSERT_TRUE(open().save(kId, sample()));
    EXPECT_THAT(open().load_of_witness(kId).error().detail, HasSubstr(file_ + " is damaged"));
}

TEST_F(LeaseFilesTest, ReservesTheSpaceOfTheNextSave) {
    ASSERT_TRUE(open().reserve(kId));
    EXPECT_GT(std::filesystem::file_size(file_ + ".new"), 0U);
    EXPECT_FALSE(open().load(kId).value().has_value());
}

TEST_F(LeaseFilesTest, ADamagedFileIsAnErrorThatNamesItAndNeverEmpty) {
    LeaseFiles files = open();
    ASSERT_TRUE(files.save(kId, sample()));
    std::string text;
    std::getline(std::ifstream(file_), text);
    for (std::size_t size = 0; size < text.size(); ++size) {
        std::ofstream(file_) << text.substr(0, size);
        const auto loaded = files.load(kId);
        ASSERT_FALSE(loaded) << text.substr(0, size);
        EXPECT_THAT(loaded.error().detail, HasSubstr(file_ + " is damaged"));
    }
}

TEST_F(LeaseFilesTest, WhatNoLeaseCanBeIsDamagedToo) {
    LeaseFiles files = open();
    ASSERT_TRUE(files.save(kId, sample()));
    std::string text;
    std::getline(std::ifstream(file_), text);
    const std::pair<std::string, std::string> changes[] = {
        {"4503599627370496", "4503599627370497"},  // Beyond every epoch.
        {"[1,2,3]", "[]"},                         // Nobody votes.
        {"[1,2,3]", "[1,3,2]"},
        {"[1,2]", "[4,5]"},  // Not a change by one.
        {"\"claimed\"", "\"climbed\""},
        {"[1,2,255,0", "[1,2,256,0"},
        {"[1,2,255,0", "[1,2,255"},
    };
    for (const auto& [from, to] : changes) {
        std::string changed = text;
        ASSERT_NE(changed.find(from), std::string::npos) << from << " in " << text;
        changed.replace(changed.find(from), from.size(), to);
        std::ofstream(file_) << changed;
        EXPECT_FALSE(files.load(kId)) << changed;
    }
}

TEST_F(LeaseFilesTest, AFileOfALaterReleaseIsNotGuessedAt) {
    LeaseFiles files = open();
    std::ofstream(file_) << R"({"format": 2})";
    const auto loaded = files.load(kId);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Errc::unsupported);
}

}  // namespace lease_files_test
}  // namespace vpnha::adapters
