// SPDX-License-Identifier: GPL-2.0-or-later
// All errors of one vpnha.toml, each with its line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/line_errors.hpp"
#include "config/keys.hpp"

namespace vpnha::config {

class Errors {
  public:
    explicit Errors(std::string_view file_name) : all_(file_name) {}

    // The position of a key or, if `key` is empty, of its section.
    void set_line(const Section& section, std::string_view gateway, std::string_view key,
                  std::uint32_t line);

    // At the line of the key, or of its section when the key is not given.
    void add(const Section& section, std::string_view gateway, std::string_view key,
             std::string_view what);
    void add_at(std::uint32_t line, std::string_view what) { all_.add_at(line, what); }

    [[nodiscard]] Result<void> result() const { return all_.result(); }

  private:
    LineErrors all_;
    std::map<std::string, std::uint32_t, std::less<>> lines_;
};

}  // namespace vpnha::config
