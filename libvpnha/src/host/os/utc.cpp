// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/utc.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <ctime>
#include <string_view>

namespace vpnha::adapters {

std::uint64_t unix_us_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

std::string utc_s(std::uint64_t unix_us) {
    return utc_us(unix_us).substr(0, 19) + "Z";
}

std::string utc_us(std::uint64_t unix_us) {
    const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
    tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    return fmt::format("{}.{:06}Z", std::string_view(text.data(), size), unix_us % 1'000'000);
}

}  // namespace vpnha::adapters
