// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/radius_secret.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "host/secrets/secret_file.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::size_t kSecretBytesMax = 128;

}  // namespace

Result<SecretBytes> read_radius_secret(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0 && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Errc::permission, fmt::format("{} can be read by others; chmod 0600 it", path));
    }
    VPNHA_TRY(const auto file, SecretFile::read(path));
    if (!file) {
        return fail(Errc::not_found, fmt::format("{}: there is no such file", path));
    }
    const std::string_view line = file->content().substr(0, file->content().find('\n'));
    if (line.empty() || line.size() > kSecretBytesMax) {
        return fail(
            Errc::invalid_config,
            fmt::format("{}: its first line has to have 1 to {} octets", path, kSecretBytesMax));
    }
    VPNHA_TRY(SecretBytes secret, SecretBytes::with_room(line.size()));
    static_cast<void>(secret.append(to_bytes(line)));
    return secret;
}

}  // namespace vpnha::adapters
