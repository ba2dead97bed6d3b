// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/unique_fd.hpp"

#include <unistd.h>

namespace vpnha::adapters {

void UniqueFd::reset(int fd) {
    if (fd_ >= 0) {
        ::close(fd_);
    }
    fd_ = fd;
}

}  // namespace vpnha::adapters
