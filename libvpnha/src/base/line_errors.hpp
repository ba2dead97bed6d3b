// SPDX-License-Identifier: GPL-2.0-or-later
// All errors of one file of settings, each with its line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha {

class LineErrors {
  public:
    explicit LineErrors(std::string_view file_name) : file_name_(file_name) {}

    // Lines count from 1 on.
    void add_at(std::uint32_t line, std::string_view what);

    // Error invalid_config with a line of text for each, "vpnha.toml:12: what; what instead", in
    // the file's order. At most limits::kConfigErrorsMax, and then the number of further ones.
    [[nodiscard]] Result<void> result() const;

  private:
    struct Entry {
        std::uint32_t line;
        std::string what;
    };

    std::string file_name_;
    std::vector<Entry> entries_;
    std::size_t left_out_ = 0;
};

}  // namespace vpnha
