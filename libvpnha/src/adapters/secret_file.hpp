// SPDX-License-Identifier: GPL-2.0-or-later
// The content of a file with secrets, in memory that is locked, guarded, kept out of core files,
// and wiped when it goes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

class SecretFile {
  public:
    // Nothing when there is no such file.
    [[nodiscard]] static Result<std::optional<SecretFile>> read(const std::string& path);

    [[nodiscard]] std::string_view content() const { return {bytes_.get(), size_}; }

  private:
    struct Wipe {
        void operator()(char* bytes) const;
    };
    SecretFile() = default;

    std::unique_ptr<char, Wipe> bytes_;
    std::size_t size_ = 0;
};

}  // namespace vpnha::adapters
