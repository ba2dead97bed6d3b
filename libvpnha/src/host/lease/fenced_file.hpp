// SPDX-License-Identifier: GPL-2.0-or-later
// The file `fenced` beside vpnhad's control socket: the boot id that vpnhad knows to be fenced. An
// agent learns of it from this file, at the cost of two small reads, when vpnhad is gone. It does
// not outlive a boot, neither by its place nor by its content.
#pragma once

#include <string>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

Result<void> write_fenced_file(const std::string& control_socket);
[[nodiscard]] bool is_fenced(const std::string& control_socket);
// For programs that refuse to start something on such a node.
[[nodiscard]] Error fenced_error();

}  // namespace vpnha::adapters
