// SPDX-License-Identifier: GPL-2.0-or-later
// The secret that the nodes share with RADIUS servers.
#pragma once

#include <string>

#include "host/secrets/secret_bytes.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// The file's first line. Errors: others can read it; there is no such file; the line is empty or
// too long.
[[nodiscard]] Result<SecretBytes> read_radius_secret(const std::string& path);

}  // namespace vpnha::adapters
