// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of vpnha-witness.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "cluster/lease/timing.hpp"
#include "vpnha/result.hpp"
#include "witness/endpoint.hpp"

namespace vpnha::witness {

struct Options {
    enum class Verb : std::uint8_t { run, enrol, help, version };
    Verb verb = Verb::run;
    std::vector<Endpoint> listen;  // None: port kPortDefault on all addresses.
    std::string state;
    std::string key_file;
    lease::Timing timing;
};

inline constexpr std::uint16_t kPortDefault = 5421;

// `arguments` without the program's name. Error invalid_argument: a line for each mistake.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments);
[[nodiscard]] std::string_view usage();

}  // namespace vpnha::witness
