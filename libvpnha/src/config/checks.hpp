// SPDX-License-Identifier: GPL-2.0-or-later
// What the values of a configuration mean together: nothing that must be one gateway's own is given
// to two, and no address is a client's and the gateway's at once.
#pragma once

#include "config/toml_reader.hpp"

namespace vpnha::config {

// Adds all contradictions to the draft's errors.
void check(Draft& draft);

}  // namespace vpnha::config
