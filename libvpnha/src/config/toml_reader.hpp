// SPDX-License-Identifier: GPL-2.0-or-later
// From the text of vpnha.toml to a Config whose every value is in bounds by itself. What values
// mean together is checked in checks.cpp.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/keys.hpp"

namespace vpnha::config {

// Where a key stands in the file, so that later errors can name its line too.
class Lines {
  public:
    explicit Lines(std::string_view file_name) : file_name_(file_name) {}

    void set(Section section, std::string_view gateway, std::string_view key, std::uint32_t line);

    // "vpnha.toml:12: what": the line of the key, or of its section when it is not given.
    [[nodiscard]] tl::unexpected<Error> fail_at(Section section, std::string_view gateway,
                                                std::string_view key, std::string_view what) const;
    [[nodiscard]] tl::unexpected<Error> fail_at(std::uint32_t line, std::string_view what) const;

  private:
    std::string file_name_;
    std::map<std::string, std::uint32_t, std::less<>> lines_;
};

struct Draft {
    Config config;
    Lines lines;
};

[[nodiscard]] Result<Draft> read_toml(std::string_view toml, std::string_view file_name);

}  // namespace vpnha::config
