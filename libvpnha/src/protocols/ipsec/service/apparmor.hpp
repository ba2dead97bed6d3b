// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a profile of AppArmor keeps a stock program from the files that it is to read here. The
// profiles of Debian's and Ubuntu's packages know the packages' own places alone.
#pragma once

#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct ApparmorPlaces {
    // What the kernel has loaded, a line each: "/usr/sbin/swanctl (enforce)". No such file: no
    // AppArmor. Only root can read it.
    std::string profiles = "/sys/kernel/security/apparmor/profiles";
    // What the operator adds to the packages' profiles.
    std::string local = "/etc/apparmor.d/local";
};

struct ConfinedProgram {
    std::string path;
    // What its package's profile lets it read; a folder ends with '/'.
    std::vector<std::string> readable;
};

// Error invalid_config: a profile of that program is enforced, and neither it nor the operator's
// additions have a rule for one of `files`; with the line to add. A file is looked up where
// symbolic links lead, as the kernel does. A rule of the operator's counts by its words before the
// first wildcard.
[[nodiscard]] Result<void> check_may_read(const ConfinedProgram& program,
                                          const std::vector<std::string>& files,
                                          const ApparmorPlaces& places);

}  // namespace vpnha::adapters
