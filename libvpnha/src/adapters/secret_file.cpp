// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/secret_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "adapters/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

// 100 000 users of 80 octets; locked memory is scarce.
constexpr std::size_t kSecretFileBytesMax = std::size_t{8} * 1024 * 1024;

}  // namespace

void SecretFile::Wipe::operator()(char* bytes) const {
    sodium_free(bytes);
}

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
    // Its allocator needs it; once is enough, and again is no harm.
    if (sodium_init() < 0) {
        return fail(Errc::unsupported, "libsodium cannot be initialised");
    }
    SecretFile secret;
    secret.bytes_.reset(static_cast<char*>(sodium_malloc(room)));
    if (!secret.bytes_) {
        return tl::unexpected(system_error("locked memory for " + path, errno));
    }
    while (secret.size_ < room) {
        const ssize_t got =
            ::read(file.get(), secret.bytes_.get() + secret.size_, room - secret.size_);
        if (got < 0 && errno != EINTR) {
            return tl::unexpected(system_error("reading " + path, errno));
        }
        if (got == 0) {
            return std::optional<SecretFile>(std::move(secret));
        }
        secret.size_ += static_cast<std::size_t>(got < 0 ? 0 : got);
    }
    return fail(Errc::busy, path + " is being written");
}

}  // namespace vpnha::adapters
