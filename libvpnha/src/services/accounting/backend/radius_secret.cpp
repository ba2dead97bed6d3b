// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/radius_secret.hpp"

#include <fmt/format.h>

#include "host/secrets/secret_file.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::size_t kSecretBytesMax = 128;

}  // namespace

Result<SecretBytes> read_radius_secret(const std::string& path) {
    VPNHA_TRY(const SecretFile file, SecretFile::read_private(path));
    const std::string_view line = file.content().substr(0, file.content().find('\n'));
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
