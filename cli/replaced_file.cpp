// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/replaced_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace vpnha::cli {

namespace {

constexpr mode_t kReadableByAll = 0644;

// 0, or errno.
int write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        text.remove_prefix(static_cast<std::size_t>(written < 0 ? 0 : written));
    }
    return ::fchmod(file, kReadableByAll) == 0 ? 0 : errno;
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view text) {
    const std::size_t name = path.rfind('/') + 1;  // 0 without a slash.
    std::string beside = fmt::format("{}.{}.XXXXXX", path.substr(0, name), path.substr(name));
    const int file = ::mkstemp(beside.data());
    if (file < 0) {
        return tl::unexpected(system_error("cannot make a file beside " + path, errno));
    }
    int error = write_all(file, text);
    // A full disk may be reported only now.
    if (::close(file) != 0 && error == 0) {
        error = errno;
    }
    if (error == 0 && std::rename(beside.c_str(), path.c_str()) != 0) {
        error = errno;
    }
    if (error != 0) {
        ::unlink(beside.c_str());
        return tl::unexpected(system_error("cannot write " + path, error));
    }
    return {};
}

}  // namespace vpnha::cli
