// SPDX-License-Identifier: GPL-2.0-or-later
// The one list of what each protocol has in vpnha.toml and in the table of tuning.
#pragma once

#include "config/schema.hpp"
#include "tuning/table.hpp"

namespace vpnha::config {

[[nodiscard]] const Schema& schema();

[[nodiscard]] Result<Config> parse(std::string_view toml, std::string_view file_name);
[[nodiscard]] Result<Config> load(const std::string& path);

}  // namespace vpnha::config

namespace vpnha::tuning {

[[nodiscard]] const Table& table();

}  // namespace vpnha::tuning
