// SPDX-License-Identifier: GPL-2.0-or-later
// vpnha-checker [--states-max N] RUN…|quick|all: visits all states of those runs (runs.cpp) and
// prints how many there were. Exit 1 when an invariant does not hold: the shortest way there is
// printed.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string_view>

#include "checker/explore.hpp"
#include "checker/runs.hpp"

namespace vpnha::checker {
namespace {

constexpr const char* kUsage = "vpnha-checker [--states-max N] RUN...|quick|all\nruns:\n";
constexpr std::uint64_t kStatesMax = 30'000'000;  // ~2 GB with their frontier.

struct Options {
    std::uint64_t states_max = kStatesMax;
    std::vector<const Run*> runs;
};

bool add_runs(std::string_view name, Options& options) {
    const std::size_t before = options.runs.size();
    for (const Run& run : all_runs()) {
        if (name == "all" || (name == "quick" && run.quick) || name == run.name) {
            options.runs.push_back(&run);
        }
    }
    return options.runs.size() > before;
}

std::optional<Options> parse_options(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = arguments[i];
        if (word == "--states-max" && i + 1 < count) {
            const std::string_view number = arguments[++i];
            const char* const end = number.data() + number.size();
            const auto [stop, error] = std::from_chars(number.data(), end, options.states_max);
            if (error != std::errc{} || stop != end) {
                return std::nullopt;
            }
        } else if (!add_runs(word, options)) {
            return std::nullopt;
        }
    }
    return options.runs.empty() ? std::nullopt : std::optional(options);
}

bool held(const Run& run, const Found& found, double seconds) {
    fmt::print(
        "{:14} {:>9} states, {:>9} with a deadline ahead, {:>7} with two after a thaw, "
        "{:5.1f} s: ",
        run.name, found.states, found.served, found.overlaps, seconds);
    if (!found.broken.empty()) {
        fmt::print("BROKEN: {}\n", found.broken);
        for (const std::string& move : found.moves) {
            fmt::print("    {}\n", move);
        }
        return false;
    }
    fmt::print("{}\n", found.exhausted ? "held" : "NOT EXHAUSTED");
    return found.exhausted;
}

int check(const Options& options) {
    std::uint64_t states = 0;
    for (const Run* run : options.runs) {
        const auto began = std::chrono::steady_clock::now();
        const Found found = explore(*run, options.states_max);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        states += found.states;
        if (!held(*run, found, took.count())) {
            return 1;
        }
        std::fflush(stdout);
    }
    fmt::print("{} runs held, {} states\n", options.runs.size(), states);
    return 0;
}

}  // namespace
}  // namespace vpnha::checker

int main(int count, char** arguments) {
    const auto options = vpnha::checker::parse_options(count, arguments);
    if (!options) {
        fmt::print(stderr, "{}", vpnha::checker::kUsage);
        for (const auto& run : vpnha::checker::all_runs()) {
            fmt::print(stderr, "    {}\n", run.name);
        }
        return 64;
    }
    return vpnha::checker::check(*options);
}
