// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace vpnha {

void assertion_failed(const char* condition, const char* file, int line) {
    // stdio and not the log: the log may be what is broken.
    std::fprintf(stderr, "vpnha: impossible state: %s at %s:%d\n", condition, file, line);
    std::abort();
}

}  // namespace vpnha
