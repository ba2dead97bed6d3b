// SPDX-License-Identifier: GPL-2.0-or-later
// vpnha-checker [--jobs N] [--states-max N] [--seconds-max N] RUN…|quick|all: visits all states of
// those runs (runs.cpp), N runs at once, and prints for each its bounds, its states and the time of
// a processor that it took. Exit 1 when an invariant does not hold, and the shortest way there is
// printed; or when a run came to an end before its states did.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string_view>

#include "checker/explore.hpp"
#include "checker/runs.hpp"

namespace vpnha::checker {
namespace {

constexpr const char* kUsage =
    "vpnha-checker [--jobs N] [--states-max N] [--seconds-max N] RUN...|quick|all\nruns:\n";
// A way is looked for again, nearest first, in so many states (~1 GB).
constexpr std::uint64_t kNearestMax = 1'000'000;

struct Options {
    Limits limits;
    std::uint64_t jobs = 1;
    std::vector<const Run*> runs;
};

bool add_runs(std::string_view name, Options& options) {
    const std::size_t before = options.runs.size();
    for (const Run& run : all_runs()) {
        if ((name == "all" && !run.open) || (name == "quick" && run.quick) || name == run.name) {
            options.runs.push_back(&run);
        }
    }
    return options.runs.size() > before;
}

std::uint64_t* number_option(std::string_view word, Options& options) {
    return word == "--jobs"          ? &options.jobs
           : word == "--states-max"  ? &options.limits.states
           : word == "--seconds-max" ? &options.limits.seconds
                                     : nullptr;
}

std::optional<Options> parse_options(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = arguments[i];
        std::uint64_t* const number = number_option(word, options);
        if (number != nullptr && i + 1 < count) {
            const std::string_view text = arguments[++i];
            const char* const end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, *number);
            if (error != std::errc{} || stop != end || *number == 0) {
                return std::nullopt;
            }
        } else if (!add_runs(word, options)) {
            return std::nullopt;
        }
    }
    return options.runs.empty() ? std::nullopt : std::optional(options);
}

// "3 claims, 2 crashes, lease of 2 ticks"
std::string features_of(const Run& run) {
    const Bounds& bounds = run.bounds;
    std::string text;
    const auto count = [&text](std::uint8_t number, std::string_view one, std::string_view many) {
        if (number > 0) {
            text += fmt::format("{} {}, ", number, number == 1 ? one : many);
        }
    };
    count(bounds.claims, "claim", "claims");
    count(bounds.crashes, "crash", "crashes");
    count(bounds.breaks, "crash within an event", "crashes within events");
    count(bounds.pauses, "pause", "pauses");
    count(bounds.releases, "release", "releases");
    count(bounds.demotions, "demotion", "demotions");
    count(bounds.marks, "mark", "marks");
    count(bounds.changes, "change of the list", "changes of the list");
    count(bounds.rings, "change of a group", "changes of groups");
    count(bounds.deaths, "death", "deaths");
    count(bounds.losses, "lost disk", "lost disks");
    count(bounds.inquiries, "question", "questions");
    count(bounds.yields, "yielding holder", "yielding holders");
    count(bounds.cuts, "power cut", "power cuts");
    count(bounds.returns, "return of power", "returns of power");
    count(bounds.resizes, "other size of a lease", "other sizes of a lease");
    text += run.start == Start::held          ? "from a lease held, "
            : run.start == Start::stale_pause ? "from a paused holder and cold others, "
            : run.start == Start::fenced      ? "from a fenced holder, "
                                              : "";
    text += run.third == Third::witness ? "a witness, "
            : run.third == Third::liar  ? "a witness that lies, "
                                        : "";
    text += run.slow_disk ? "its disk writes later or never, " : "";
    text += run.prompt ? "nodes that receive each other's messages, " : "";
    text += run.answers == Answers::late ? "late answers, " : "";
    text += run.margins ? "counter margins, " : "";
    text += run.late_lapses ? "lapses noticed late, " : "";
    text += run.behind != 0 ? "a replica that is behind, " : "";
    text += run.liveness ? "somebody can always serve, " : "";
    text += run.stands_in ? "somebody can always stand in, " : "";
    text += run.liveness && bounds.rings > 0 ? "a lapse always ends, " : "";
    if (run.voters != 3) {
        text += fmt::format("{} voters, ", run.voters);
    }
    if (run.rates[0] != run.rates[1]) {
        text += fmt::format("clocks {}:{}:{}, ", run.rates[0], run.rates[1], run.rates[2]);
    }
    const auto ticks = [&](int steps) { return double(steps) / run.rates[0]; };
    if (bounds.resizes > 0) {
        return text + fmt::format("leases of {:.2g} and {:.2g} ticks", ticks(run.lease),
                                  ticks(run.other_lease));
    }
    if (run.first_lease) {
        return text + fmt::format("leases of {:.2g} and {:.2g} ticks", ticks(*run.first_lease),
                                  ticks(run.lease));
    }
    return text + fmt::format("lease of {:.2g} ticks", ticks(run.lease));
}

double processor_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

bool check(const Run& run, const Limits& limits) {
    Found found = explore(run, Order::deepest_first, limits);
    fmt::print(
        "{:14} {:>9} states ({} with a deadline ahead, {} with two that may be), ways of "
        "up to {} moves, {:.1f} s; {}: ",
        run.name, found.states, found.served, found.overlaps, found.depth, processor_seconds(),
        features_of(run));
    if (found.broken.empty()) {
        fmt::print("{}\n", found.exhausted ? "held" : "NOT EXHAUSTED");
        return found.exhausted;
    }
    const Found nearest = explore(run, Order::nearest_first, {kNearestMax, limits.seconds});
    if (!nearest.broken.empty()) {
        found = nearest;
    }
    fmt::print("BROKEN: {}\n", found.broken);
    for (const std::string& move : found.moves) {
        fmt::print("    {}\n", move);
    }
    return false;
}

// Waits for one; whether it held.
bool end_of_one() {
    int status = 0;
    return ::wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Each run in a process of its own: its memory ends with it.
int check(const Options& options) {
    std::uint64_t under_way = 0;
    std::size_t held = 0;
    const auto began = std::time(nullptr);
    for (const Run* run : options.runs) {
        if (under_way == options.jobs) {
            held += end_of_one() ? 1 : 0;
            --under_way;
        }
        std::fflush(stdout);
        const pid_t child = ::fork();
        if (child == 0) {
            const bool good = check(*run, options.limits);
            std::fflush(stdout);
            ::_exit(good ? 0 : 1);
        }
        if (child < 0) {
            std::perror("fork");
            return 1;
        }
        ++under_way;
    }
    for (; under_way > 0; --under_way) {
        held += end_of_one() ? 1 : 0;
    }
    fmt::print("{} of {} runs held, {} s\n", held, options.runs.size(), std::time(nullptr) - began);
    return held == options.runs.size() ? 0 : 1;
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
