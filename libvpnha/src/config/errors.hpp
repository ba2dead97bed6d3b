// SPDX-License-Identifier: GPL-2.0-or-later
// All errors of one vpnha.toml, each with its line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys.hpp"

namespace vpnha::config {

class Errors {
  public:
    explicit Errors(std::string_view file_name) : file_name_(file_name) {}

    // Where a key stands or, when `key` is empty, its section.
    void set_line(const Section& section, std::string_view gateway, std::string_view key,
                  std::uint32_t line);

    // At the line of the key, or of its section when the key is not given.
    void add(const Section& section, std::string_view gateway, std::string_view key,
             std::string_view what);
    void add_at(std::uint32_t line, std::string_view what);

    // An error with a line of text for each, "vpnha.toml:12: what; what instead", in the file's
    // order. At most kConfigErrorsMax, and then how many more there are.
    [[nodiscard]] Result<void> result() const;

  private:
    struct Entry {
        std::uint32_t line;
        std::string what;
    };

    std::string file_name_;
    std::map<std::string, std::uint32_t, std::less<>> lines_;
    std::vector<Entry> entries_;
    std::size_t left_out_ = 0;
};

}  // namespace vpnha::config
