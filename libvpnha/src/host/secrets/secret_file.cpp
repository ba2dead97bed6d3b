// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/secrets/secret_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

// 100 000 users of 80 octets; locked memory is scarce.
constexpr std::size_t kSecretFileBytesMax = std::size_t{8} * 1024 * 1024;

}  // namespace

Result<std::optional<SecretFile>> SecretFile::read(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file && (errno == ENOENT || errno == ENOTDIR)) {
        return std::optional<SecretFile>();
    }
    struct stat found {};
    if (!file || ::fstat(file.get(), &found) != 0) {
        return tl::unexpected(system_error("reading " + path, errno));
    }
    if (!S_ISREG(found.st_mode)) {
        return fail(Errc::invalid_config, path + " is no file");
    }
    // One octet more, so that a file that grows meanwhile is seen.
    const auto room = static_cast<std::size_t>(found.st_size) + 1;
    if (room > kSecretFileBytesMax) {
        return fail(Errc::limit,
                    fmt::format("{} is larger than {} octets", path, kSecretFileBytesMax));
    }
    VPNHA_TRY(SecretBytes bytes, SecretBytes::with_room(room));
    while (!bytes.room().empty()) {
        const ssize_t got = ::read(file.get(), bytes.room().data(), bytes.room().size());
        if (got < 0 && errno != EINTR) {
            return tl::unexpected(system_error("reading " + path, errno));
        }
        if (got == 0) {
            return SecretFile(std::move(bytes));
        }
        bytes.take(static_cast<std::size_t>(got < 0 ? 0 : got));
    }
    return fail(Errc::busy, path + " is being written");
}

Result<SecretFile> SecretFile::read_private(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0 && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Errc::permission, fmt::format("{} can be read by others; chmod 0600 it", path));
    }
    VPNHA_TRY(auto file, read(path));
    return file ? Result<SecretFile>(std::move(*file))
                : fail(Errc::not_found, fmt::format("{}: there is no such file", path));
}

}  // namespace vpnha::adapters
