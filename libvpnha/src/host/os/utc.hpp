// SPDX-License-Identifier: GPL-2.0-or-later
// The time of day in the format of log lines, so that logs of several nodes can be compared.
#pragma once

#include <cstdint>
#include <string>

namespace vpnha::adapters {

[[nodiscard]] std::uint64_t unix_us_now();
// "2026-11-20T09:46:11Z".
[[nodiscard]] std::string utc_s(std::uint64_t unix_us);
// "2026-11-20T09:46:11.123456Z".
[[nodiscard]] std::string utc_us(std::uint64_t unix_us);

}  // namespace vpnha::adapters
