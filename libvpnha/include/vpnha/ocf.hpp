// SPDX-License-Identifier: GPL-2.0-or-later
// The frame of an OCF resource agent (resource agent API 1.1): an agent is a table of parameters
// and actions. The frame reads the environment, writes the metadata, checks parameters and turns an
// action's outcome into exit code, exit reason and log.
//
// One process per call, one thread. meta-data and usage need no environment, no privilege and no
// configuration. An action that is not in the table is "unimplemented" (3).
//
// Example:
//     vpnha::ocf::Outcome start(const vpnha::ocf::Call& call) {
//         if (call.parameter("device").empty()) {
//             return {vpnha::ocf::Code::installed, "device is missing; plug it in"};
//         }
//         return {};
//     }
//
//     const vpnha::ocf::Agent agent{
//         .name = "modem", .short_text = "A modem", .long_text = "Keeps a modem on line.",
//         .parameters = {{.name = "device", .default_value = "/dev/ttyS0",
//                         .short_text = "Device", .long_text = "The modem's device."}},
//         .actions = {{.name = "start", .timeout_s = 20, .run = start}}};
//
//     int main(int argc, char** argv) { return vpnha::ocf::run(agent, argc, argv); }
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::ocf {

// Exit codes. Debian's ocf-returncodes has no names for the last two; Pacemaker knows them.
enum class Code {
    success = 0,
    error = 1,
    arguments = 2,  // Wrong on this node: file missing or invalid here.
    unimplemented = 3,
    permission = 4,
    installed = 5,   // A program or a kernel setting is missing on this node.
    configured = 6,  // Wrong on every node: the resource's parameters themselves.
    not_running = 7,
    promoted = 8,
    failed_promoted = 9,
    degraded = 190,
    degraded_promoted = 191,
};

// The result of an action. Any code except success, not_running and promoted needs a reason: one
// sentence with what, where and what to do. The frame logs it as an error, except for a degraded
// code: a monitor finds the same repeatedly, so the agent itself logs changes.
struct Outcome {
    Code code = Code::success;
    std::string reason{};
};

// The outcome of an error, by the class of the error.
[[nodiscard]] VPNHA_API Outcome outcome_of(const Error& error);

enum class Level { error, warning, info, debug };

struct Agent;

// One call of an agent: its parameters and meta attributes.
class VPNHA_API Call {
  public:
    using Environment = std::function<std::optional<std::string>(const std::string& name)>;

    // The agent must outlive the call.
    Call(const Agent& agent, std::string action, Environment environment);

    [[nodiscard]] const std::string& action() const { return action_; }
    // OCF_RESKEY_<name>, or the default of the agent's table, which must have `name`.
    [[nodiscard]] std::string parameter(std::string_view name) const;
    // The resource's name, without the number of a clone's instance.
    [[nodiscard]] std::string instance() const;
    // A monitor that asks whether the resource exists at all, before it was started.
    [[nodiscard]] bool is_probe() const;
    // How thoroughly a monitor has to check: 0, 10, 20 (OCF_CHECK_LEVEL).
    [[nodiscard]] int check_level() const;
    // How long Pacemaker waits for this action; not given: the value of the agent's table.
    [[nodiscard]] std::chrono::milliseconds timeout() const;
    // To the place where the cluster's other agents log.
    void log(Level level, std::string_view text) const;

  private:
    const Agent& agent_;
    std::string action_;
    Environment environment_;
};

struct Parameter {
    std::string_view name{};
    std::string_view type = "string";
    std::string_view default_value{};
    bool required = false;
    // A change is applied by reload-agent, without a restart.
    bool reloadable = false;
    // Parameters of one group are together unique among the resources of this agent.
    std::string_view unique_group{};
    std::string_view short_text{};
    std::string_view long_text{};
};

struct Action {
    std::string_view name{};
    int timeout_s = 20;
    int interval_s = 0;       // Monitors only.
    int depth = 0;            // Monitors only: the check level that this interval is for.
    std::string_view role{};  // Monitors of promotable agents: Promoted or Unpromoted.
    Outcome (*run)(const Call& call) = nullptr;
};

struct Agent {
    std::string_view name{};
    std::string_view short_text{};
    std::string_view long_text{};
    std::vector<Parameter> parameters{};
    std::vector<Action> actions{};  // Without meta-data, usage, validate-all.
    Outcome (*validate)(const Call& call) =
        nullptr;  // For validate-all, beyond the table's checks.
};

// What one call wrote and returned.
struct Report {
    Code code = Code::success;
    std::string output{};
    std::string reason{};
};

// The metadata: valid under OCF 1.1's ra-api.rng and, by the declarations in its prologue, under
// the older ra-api-1.dtd that ocf-tester uses.
[[nodiscard]] VPNHA_API std::string metadata(const Agent& agent);
[[nodiscard]] VPNHA_API Report perform(const Agent& agent, const std::string& action,
                                       const Call::Environment& environment);
// The whole program: action from argv[1], environment, exit reason on stderr; returns the exit
// code.
[[nodiscard]] VPNHA_API int run(const Agent& agent, int argc, char** argv);

}  // namespace vpnha::ocf
