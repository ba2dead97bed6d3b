// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "ocf/log.hpp"
#include "vpnha/ocf.hpp"

namespace vpnha::ocf {

namespace {

std::string usage(const Agent& agent) {
    std::string names;
    for (const Action& action : agent.actions) {
        // The table has monitors once for each role.
        if (names.find(action.name) == std::string::npos) {
            names += fmt::format("{}|", action.name);
        }
    }
    return fmt::format("Usage: {} {{{}meta-data|validate-all|usage}}\n", agent.name, names);
}

bool is_integer(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string what_is_wrong(const Parameter& parameter, const std::string& value) {
    if (parameter.required && value.empty()) {
        return fmt::format("parameter {} is missing; set it on the resource", parameter.name);
    }
    if (parameter.type == "integer" && !value.empty() && !is_integer(value)) {
        return fmt::format("parameter {}='{}' is no number", parameter.name, value);
    }
    return {};
}

// The first wrong parameter. Only a start reads a reloadable one, and running instances may have
// been started with a right value. So other actions do not fail for it, and a start fails with a
// code of this node: after `configured` Pacemaker stops the resource on all nodes.
Outcome check_parameters(const Agent& agent, const Call& call) {
    const bool is_start = call.action() == "start" || call.action() == "validate-all";
    for (const Parameter& parameter : agent.parameters) {
        std::string wrong = what_is_wrong(parameter, call.parameter(parameter.name));
        if (wrong.empty() || (parameter.reloadable && !is_start)) {
            continue;
        }
        return {parameter.reloadable ? Code::arguments : Code::configured, std::move(wrong)};
    }
    return {};
}

Outcome dispatch(const Agent& agent, const Call& call) {
    const bool validating = call.action() == "validate-all";
    const auto action =
        std::find_if(agent.actions.begin(), agent.actions.end(),
                     [&call](const Action& known) { return known.name == call.action(); });
    if (!validating && action == agent.actions.end()) {
        return {Code::unimplemented, ""};
    }
    const Outcome parameters = check_parameters(agent, call);
    if (parameters.code != Code::success) {
        // No instance can have been started with these, and a failed stop fences the node.
        return call.action() == "stop" ? Outcome{} : parameters;
    }
    if (validating) {
        return agent.validate != nullptr ? agent.validate(call) : Outcome{};
    }
    return action->run(call);
}

}  // namespace

Report perform(const Agent& agent, const std::string& action,
               const Call::Environment& environment) {
    if (action == "meta-data") {
        return {Code::success, metadata(agent), ""};
    }
    if (action == "usage" || action == "help") {
        return {Code::success, usage(agent), ""};
    }
    if (action.empty()) {
        return {Code::arguments, "", usage(agent)};
    }
    const Call call(agent, action, environment);
    Outcome outcome = dispatch(agent, call);
    const bool is_degraded =
        outcome.code == Code::degraded || outcome.code == Code::degraded_promoted;
    if (!outcome.reason.empty() && !is_degraded) {
        call.log(Level::error, fmt::format("{}: {}", action, outcome.reason));
    }
    return {outcome.code, "", std::move(outcome.reason)};
}

int run(const Agent& agent, int argc, char** argv) {
    const Call::Environment environment =
        [](const std::string& name) -> std::optional<std::string> {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): an agent has one thread.
        const char* const value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    const Report report = perform(agent, argc > 1 ? argv[1] : "", environment);
    std::fputs(report.output.c_str(), stdout);
    if (!report.reason.empty()) {
        const std::string prefix =
            environment("OCF_EXIT_REASON_PREFIX").value_or("ocf-exit-reason:");
        std::fprintf(stderr, "%s%s\n", prefix.c_str(), report.reason.c_str());
    }
    return static_cast<int>(report.code);
}

}  // namespace vpnha::ocf
