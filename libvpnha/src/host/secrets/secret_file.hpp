// SPDX-License-Identifier: GPL-2.0-or-later
// The content of a file with secrets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/secrets/secret_bytes.hpp"

namespace vpnha::adapters {

class SecretFile {
  public:
    // Nothing when there is no such file.
    [[nodiscard]] static Result<std::optional<SecretFile>> read(const std::string& path);

    // The same of a file that has to be there, and that nobody else may read.
    [[nodiscard]] static Result<SecretFile> read_private(const std::string& path);

    [[nodiscard]] std::string_view content() const {
        return {reinterpret_cast<const char*>(bytes_.view().data()), bytes_.view().size()};
    }

  private:
    explicit SecretFile(SecretBytes bytes) : bytes_(std::move(bytes)) {}

    SecretBytes bytes_;
};

}  // namespace vpnha::adapters
