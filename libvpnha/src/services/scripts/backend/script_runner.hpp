// SPDX-License-Identifier: GPL-2.0-or-later
// Runs pppd's scripts, such as /etc/ppp/ip-up, for a session without a
// pppd. They get pppd's arguments and environment (pppd(8), SCRIPTS),
// as far as these are known, and VPNHA_RESUMED=1. Each runs in a thread
// beside the loop, and inherits only vpnhad's identity and limits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "host/os/background.hpp"
#include "host/os/process.hpp"
#include "services/scripts/work.hpp"

namespace vpnha::adapters {

enum class Script : std::uint8_t { ip_up, ip_down, ipv6_up, ipv6_down };
[[nodiscard]] std::string_view name_of(Script script);  // "ip-up"

// Empty when there is no device of that number.
[[nodiscard]] std::string name_of_device(std::uint32_t number);

struct ScriptCall {
    Script script{};
    std::string interface;
    node::ScriptFacts facts;
};

// `now`: boot_time(); a session's age is computed from it.
[[nodiscard]] Command command_of(const ScriptCall& call, const std::string& directory,
                                 TimePoint now);

class ScriptRunner {
  public:
    enum class End { done, missing, failed, killed };
    struct Outcome {
        End end{};
        std::string what;  // Why it failed.
    };
    using Done = std::function<void(const Outcome&)>;

    struct Settings {
        std::string directory = "/etc/ppp";
        std::chrono::milliseconds timeout{};
    };

    // The loop must outlive it.
    ScriptRunner(QbLoop& loop, Settings settings);
    // Kills running scripts; `done` is not called for them.
    ~ScriptRunner();
    ScriptRunner(const ScriptRunner&) = delete;
    ScriptRunner& operator=(const ScriptRunner&) = delete;

    // `done` is called at a later turn of the loop. An error when there is no thread: then it is
    // not called.
    Result<void> run(const ScriptCall& call, Done done);

  private:
    Settings settings_;
    UniqueFd stop_;  // An eventfd, readable when all are to end.
    Background background_;
};

}  // namespace vpnha::adapters
