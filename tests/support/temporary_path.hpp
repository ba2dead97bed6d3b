// SPDX-License-Identifier: GPL-2.0-or-later
// Paths for files of one test: CTest runs tests of one program side by side.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace vpnha {

// Unique to this process; nothing is created.
inline std::string temporary_path(const std::string& name) {
    return ::testing::TempDir() + "vpnha-" + std::to_string(::getpid()) + "-" + name;
}

}  // namespace vpnha
