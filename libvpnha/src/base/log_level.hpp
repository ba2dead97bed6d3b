// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vpnha {

enum class LogLevel { error, warning, info, debug };

}  // namespace vpnha
