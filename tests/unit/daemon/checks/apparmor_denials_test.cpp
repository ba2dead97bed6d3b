// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/apparmor_denials.hpp"

#include <gmock/gmock.h>

namespace vpnha::runtime {
namespace apparmor_denials_test {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// As the kernel logs them, and auditd.
constexpr const char* kRead =
    "audit: type=1400 audit(1767225600.1:7): apparmor=\"DENIED\" operation=\"open\" class=\"file\" "
    "profile=\"/usr/sbin/charon-systemd\" name=\"/srv/keys/gw.pem\" pid=812 "
    "comm=\"charon-systemd\" "
    "requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0\n";
constexpr const char* kCapability =
    "AVC apparmor=\"DENIED\" operation=\"capable\" class=\"cap\" profile=\"vpnhad\" pid=7 "
    "comm=\"vpnhad\" capability=21 capname=\"sys_admin\"\n";

TEST(ApparmorDenialsTest, EachIsThereOnceWithItsRule) {
    EXPECT_THAT(
        find_denials(std::string(kRead) + kCapability + kRead, {"charon"}),
        ElementsAre(
            AllOf(StartsWith("AppArmor has denied /srv/keys/gw.pem (r) to "
                             "/usr/sbin/charon-systemd, 2 times within a day"),
                  HasSubstr("write '\"/srv/keys/gw.pem\" r,' into "
                            "/etc/apparmor.d/local/usr.sbin.charon-systemd and load the profile")),
            AllOf(StartsWith("AppArmor has denied the capability sys_admin to vpnhad, 1 times"),
                  HasSubstr("write 'capability sys_admin,'"))));
}

TEST(ApparmorDenialsTest, OtherProgramsAndWhatWasAllowedAreLeftOut) {
    std::string other = kRead;
    other.replace(other.find("/usr/sbin/charon-systemd"), 24, "/usr/bin/evince");
    std::string allowed = kRead;
    allowed.replace(allowed.find("DENIED"), 6, "ALLOWED");
    EXPECT_THAT(find_denials(other + allowed + "a line of something else\n", {"charon"}),
                IsEmpty());
    EXPECT_THAT(find_denials(kRead, {"openvpn"}), IsEmpty());
    EXPECT_THAT(find_denials(kRead, {""}), IsEmpty()) << "of a protocol without a daemon";
    EXPECT_THAT(find_denials("", {"charon"}), IsEmpty());
}

}  // namespace apparmor_denials_test
}  // namespace vpnha::runtime
