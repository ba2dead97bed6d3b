// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/lock_file.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <filesystem>

namespace vpnha::adapters {

Result<UniqueFd> lock_file(const std::string& path, int operation) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file) {
        return tl::unexpected(system_error("opening " + path, errno));
    }
    while (::flock(file.get(), operation) != 0) {
        if (errno != EINTR) {
            return tl::unexpected(system_error("locking " + path, errno));
        }
    }
    return file;
}

Result<UniqueFd> lock_directory(const std::string& directory, int operation) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) {
        return tl::unexpected(system_error("creating " + directory, error.value()));
    }
    return lock_file(directory + "/lock", operation);
}

}  // namespace vpnha::adapters
