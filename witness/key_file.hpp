// SPDX-License-Identifier: GPL-2.0-or-later
// The file of a witness's key: one line of cluster/lease/witness_key.hpp, of its user alone.
#pragma once

#include <string>

#include "cluster/lease/witness_key.hpp"
#include "vpnha/result.hpp"

namespace vpnha::witness {

// Error permission: others may read it. A file below `credentials`, systemd's directory of the
// unit's credentials, is systemd's to protect; empty: there is none.
[[nodiscard]] Result<lease::WitnessKey> read_key_file(const std::string& path,
                                                      const std::string& credentials);

// What enrolment comes to, for a human. Reads the line from `fd`. Error already_exists: another key
// is there.
[[nodiscard]] Result<std::string> enrol(int fd, const std::string& path);

}  // namespace vpnha::witness
