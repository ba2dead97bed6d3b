// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a profile of AppArmor prevents a stock program from reading its configured files. The
// profiles of Debian's and Ubuntu's packages permit the packages' own places alone.
#pragma once

#include <string>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct ApparmorPlaces {
    // The profiles that the kernel has loaded, a line each: "/usr/sbin/swanctl (enforce)". No such
    // file: no AppArmor. Only root can read it.
    std::string profiles = "/sys/kernel/security/apparmor/profiles";
    // The operator's additions to the packages' profiles.
    std::string local = "/etc/apparmor.d/local";
};

struct ConfinedProgram {
    std::string path;
    // What its package's profile permits it to read; a folder ends with '/'.
    std::vector<std::string> readable;
};

// Error invalid_config: a profile of that program is enforced, and neither it nor the operator's
// additions have a rule for one of `files`. The error has the line to add. Symbolic links of a file
// are followed, as in the kernel. Only the part of an operator's rule before the first wildcard
// counts.
[[nodiscard]] Result<void> check_may_read(const ConfinedProgram& program,
                                          const std::vector<std::string>& files,
                                          const ApparmorPlaces& places);

}  // namespace vpnha::adapters
