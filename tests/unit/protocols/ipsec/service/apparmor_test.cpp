// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/apparmor.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/temporary_path.hpp"

namespace vpnha::adapters {
namespace apparmor_test {

using ::testing::HasSubstr;

class ApparmorTest : public testing::Test {
  protected:
    ApparmorTest() {
        std::filesystem::create_directories(folder_ / "local");
        std::filesystem::create_directories(folder_ / "good");
        load("/usr/sbin/swanctl (enforce)\n");
    }
    ~ApparmorTest() override { std::filesystem::remove_all(folder_); }

    void load(const std::string& profiles) const {
        std::ofstream(folder_ / "profiles") << profiles;
    }
    void add(const std::string& rules) const {
        std::ofstream(folder_ / "local/usr.sbin.swanctl") << rules;
    }
    // The refusal; empty: it may read the file.
    std::string refusal(const std::filesystem::path& file) const {
        const auto checked =
            check_may_read({"/usr/sbin/swanctl", {folder_ / "good/", folder_ / "one.conf"}}, {file},
                           {.profiles = folder_ / "profiles", .local = folder_ / "local"});
        return checked ? "" : checked.error().detail;
    }

    std::filesystem::path folder_ = std::filesystem::weakly_canonical(temporary_path("apparmor"));
};

TEST_F(ApparmorTest, OnlyAnEnforcedProfileOfTheProgramCounts) {
    const auto file = folder_ / "other/swanctl.conf";
    for (const char* free :
         {"", "/usr/sbin/swanctl (complain)\n", "/usr/sbin/swanctl (unconfined)\n",
          "/usr/sbin/swanctl2 (enforce)\n", "/usr/sbin/charon-systemd (enforce)\n", "swanctl\n"}) {
        load(free);
        EXPECT_EQ(refusal(file), "") << free;
    }
    std::filesystem::remove(folder_ / "profiles");
    EXPECT_EQ(refusal(file), "") << "no AppArmor";
    for (const char* confined : {"lsb_release (enforce)\n/usr/sbin/swanctl (enforce)\n",
                                 "swanctl (enforce)\n", "/usr/sbin/swanctl (kill)\n"}) {
        load(confined);
        EXPECT_NE(refusal(file), "") << confined;
    }
}

TEST_F(ApparmorTest, TheRefusalHasTheLineToAdd) {
    const std::string other = folder_ / "other";
    EXPECT_THAT(refusal(other + "/swanctl.conf"),
                HasSubstr("'\"" + other + "/{,**}\" r,' into " + (folder_ / "local").string() +
                          "/usr.sbin.swanctl"));
    add("\"" + other + "/{,**}\" r,\n");
    EXPECT_EQ(refusal(other + "/swanctl.conf"), "");
}

TEST_F(ApparmorTest, OwnRulesCountByWhatIsBeforeTheirWildcards) {
    const std::string other = folder_ / "other/";
    for (const std::string& rule :
         {other + "** r,", "  owner " + other + "swanctl.conf rw,", other + "*.conf r,"}) {
        add("# by hand\n" + rule + "\n");
        EXPECT_EQ(refusal(other + "swanctl.conf"), "") << rule;
    }
    for (const std::string& rule : {"# " + other + "** r,", other + "another.conf r,"}) {
        add(rule + "\n");
        EXPECT_NE(refusal(other + "swanctl.conf"), "") << rule;
    }
}

TEST_F(ApparmorTest, TheProfilesPlacesAreThoseWhereLinksLead) {
    EXPECT_EQ(refusal(folder_ / "good/swanctl.conf"), "");
    EXPECT_EQ(refusal(folder_ / "one.conf"), "");
    EXPECT_NE(refusal(folder_ / "good2/swanctl.conf"), "");
    std::ofstream(folder_ / "elsewhere.conf") << "";
    std::filesystem::create_symlink(folder_ / "elsewhere.conf", folder_ / "good/linked.conf");
    EXPECT_THAT(refusal(folder_ / "good/linked.conf"), HasSubstr("elsewhere.conf"));
}

}  // namespace apparmor_test
}  // namespace vpnha::adapters
