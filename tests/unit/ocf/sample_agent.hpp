// SPDX-License-Identifier: GPL-2.0-or-later
// An agent for tests, and an environment that is a map.
#pragma once

#include <map>

#include "vpnha/ocf.hpp"

namespace vpnha::ocf {

inline Call::Environment environment(std::map<std::string, std::string> variables) {
    return
        [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            return found == variables.end() ? std::nullopt : std::optional(found->second);
        };
}

inline Agent sample_agent() {
    return {.name = "sample",
            .short_text = "A \"sample\"",
            .long_text = "Less < more & so on.",
            .parameters = {{.name = "device",
                            .required = true,
                            .unique_group = "device",
                            .short_text = "Device",
                            .long_text = "Which."},
                           {.name = "speed",
                            .type = "integer",
                            .default_value = "9600",
                            .short_text = "Speed",
                            .long_text = "How fast."}},
            .actions = {{.name = "start", .run = [](const Call&) { return Outcome{}; }},
                        {.name = "stop",
                         .run =
                             [](const Call&) {
                                 return Outcome{Code::error, "stuck"};
                             }},
                        {.name = "monitor",
                         .timeout_s = 7,
                         .interval_s = 10,
                         .role = "Promoted",
                         .run = [](const Call&) { return Outcome{Code::promoted}; }},
                        {.name = "monitor",
                         .timeout_s = 7,
                         .interval_s = 11,
                         .role = "Unpromoted",
                         .run = [](const Call&) { return Outcome{Code::promoted}; }}},
            .validate = [](const Call& call) {
                return call.parameter("device") == "absent" ? Outcome{Code::installed, "no device"}
                                                            : Outcome{};
            }};
}

}  // namespace vpnha::ocf
