// SPDX-License-Identifier: GPL-2.0-or-later
// The file of a witness's key: one line of cluster/lease/witness_key.hpp, only for its user.
#pragma once

#include <string>

#include "cluster/lease/witness_key.hpp"
#include "vpnha/result.hpp"

namespace vpnha::witness {

// Error permission: others may read it. systemd protects files below `credentials`, its directory
// of the unit's credentials; empty: there is none.
[[nodiscard]] Result<lease::WitnessKey> read_key_file(const std::string& path,
                                                      const std::string& credentials);

// Returns the result of the enrolment, for a human. Reads the line from `fd`. Error already_exists:
// another key is there.
[[nodiscard]] Result<std::string> enrol(int fd, const std::string& path);

}  // namespace vpnha::witness
