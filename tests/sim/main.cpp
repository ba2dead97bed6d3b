// SPDX-License-Identifier: GPL-2.0-or-later
// vpnha-sim: whole clusters in virtual time. The same seed and number of steps is the same run on
// every machine. Each seed runs in a process of its own, so that a node that aborts is a finding
// like any other; one that fails is run again with the story on.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string_view>

#include "sim/world.hpp"

namespace vpnha::sim {

namespace {

constexpr std::uint64_t kSeedsMax = 1'999'999'999;

constexpr const char* kUsage =
    "usage: vpnha-sim [--seed N | --seeds A..B] [--steps M] [--jobs J] [--verbose]\n"
    "Runs clusters of real nodes through the faults that each seed stands for, and fails when an\n"
    "invariant does not hold. Default: seeds 1..100 of 150 steps. --verbose tells the story.\n";

struct Options {
    std::uint64_t first = 1;
    std::uint64_t last = 100;
    unsigned steps = 150;
    unsigned jobs = 1;
    bool verbose = false;
};

template <class Number>
bool parse(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

std::optional<Options> parse_options(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view name = arguments[i];
        if (name == "--verbose") {
            options.verbose = true;
            continue;
        }
        const std::string_view value = i + 1 < count ? arguments[++i] : "";
        const auto dots = value.find("..");
        bool good = false;
        if (name == "--seed") {
            good = parse(value, options.first);
            options.last = options.first;
        } else if (name == "--seeds" && dots != std::string_view::npos) {
            good = parse(value.substr(0, dots), options.first) &&
                   parse(value.substr(dots + 2), options.last);
        } else if (name == "--steps") {
            good = parse(value, options.steps);
        } else if (name == "--jobs") {
            good = parse(value, options.jobs) && options.jobs > 0;
        }
        if (!good || options.last < options.first || options.last > kSeedsMax) {
            return std::nullopt;
        }
    }
    return options;
}

const World* notified = nullptr;  // What a signal's handler tells of.

void report_fault(const World& world, const Plan& plan, std::string_view invariant,
                  std::string_view what) {
    for (const std::string& line : world.story().lines()) {
        fmt::print("{}\n", line);
    }
    fmt::print("seed {} broke '{}': {}\n  {}\n  again: vpnha-sim --seed {} --steps {} --verbose\n",
               plan.seed, invariant, what, describe(plan), plan.seed, plan.steps);
    std::fflush(stdout);
}

Plan notified_plan;

// Of abort() and the like, called by a node on its own stack: nothing is interrupted.
void on_signal(int number) {
    if (notified != nullptr) {
        report_fault(*notified, notified_plan, "alive",
                     fmt::format("a node ended by signal {}", number));
    }
    std::_Exit(1);
}

int run_seed(std::uint64_t seed, unsigned steps, Story::Mode mode, Tally* tally) {
    notified_plan = make_plan(seed, steps);
    World world(notified_plan, mode);
    notified = mode == Story::Mode::silent ? nullptr : &world;
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        std::signal(number, on_signal);
    }
    try {
        const Tally found = world.run();
        if (tally != nullptr) {
            *tally = found;
        }
        return 0;
    } catch (const Failure& failure) {
        if (notified != nullptr) {
            report_fault(world, notified_plan, failure.invariant, failure.what());
        }
        return 1;
    }
}

struct Child {
    std::uint64_t seed = 0;
    int result = -1;  // Its tally comes here.
};

std::optional<std::pair<pid_t, Child>> start(std::uint64_t seed, unsigned steps) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return std::nullopt;
    }
    const pid_t child = ::fork();
    if (child == 0) {
        Tally tally;
        std::fclose(stderr);
        const int code = run_seed(seed, steps, Story::Mode::silent, &tally);
        const bool notified_all = ::write(ends[1], &tally, sizeof tally) == sizeof tally;
        std::_Exit(code != 0 || !notified_all ? 1 : 0);
    }
    ::close(ends[1]);
    return child < 0 ? std::nullopt : std::optional(std::pair(child, Child{seed, ends[0]}));
}

// The children that run; returns false when one of them failed.
class Jobs {
  public:
    explicit Jobs(const Options& options) : options_(options) {}

    bool run() {
        for (std::uint64_t seed = options_.first; seed <= options_.last; ++seed) {
            if (running_.size() == options_.jobs) {
                wait_for_one();
            }
            if (failed_) {
                break;
            }
            if (const auto started = start(seed, options_.steps)) {
                running_.insert(*started);
            } else {
                failed_ = seed;
            }
        }
        while (!running_.empty()) {
            wait_for_one();
        }
        return !failed_;
    }
    [[nodiscard]] const Tally& tally() const { return tally_; }
    // The first seed in order, not in time.
    [[nodiscard]] std::optional<std::uint64_t> failed() const { return failed_; }

  private:
    void wait_for_one() {
        int status = 0;
        const auto found = running_.find(::wait(&status));
        if (found == running_.end()) {
            return;
        }
        const Child child = found->second;
        running_.erase(found);
        Tally tally;
        const bool notified_all = ::read(child.result, &tally, sizeof tally) == sizeof tally;
        ::close(child.result);
        if (notified_all && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            tally_ += tally;
        } else {
            failed_ = std::min(failed_.value_or(child.seed), child.seed);
        }
    }

    Options options_;
    std::map<pid_t, Child> running_;
    Tally tally_;
    std::optional<std::uint64_t> failed_;
};

int run(const Options& options) {
    if (options.verbose) {
        const int code = run_seed(options.first, options.steps, Story::Mode::all, nullptr);
        fmt::print("{}\n", code == 0 ? "held" : "broken");
        return code;
    }
    Jobs jobs(options);
    if (!jobs.run()) {
        std::fflush(stdout);
        return run_seed(jobs.failed().value_or(options.first), options.steps, Story::Mode::tail,
                        nullptr) == 0
                   ? 2  // It does not fail again: not deterministic, or the machine is broken.
                   : 1;
    }
    const Tally& tally = jobs.tally();
    fmt::print(
        "{} seeds of {} steps held: {} events, {} messages, {} claims, {} promotions, {} sessions, "
        "{} times protected, {} of them resumed elsewhere, {} lost because no node in reach had "
        "them, {} times silent, {} snapshot requests, {} flows kept in a "
        "takeover, {} equal at the end; expectations {} and {}; {} stood in, {} told the group; {} "
        "numbers used, margins exact {}, bounded {}, unknown {}, {} after two unheard epochs; {} "
        "packets of PPTP; {} handshakes of WireGuard; {} IKE SAs, {} SAs kept; {} accounts closed, "
        "{} closed again\n",
        options.last - options.first + 1, options.steps, tally.events, tally.messages, tally.claims,
        tally.promotions, tally.sessions, tally.protected_sessions, tally.kept, tally.lost,
        tally.silences, tally.resyncs, tally.flows_kept, tally.flows_equal, tally.expectations_kept,
        tally.expectations_equal, tally.stand_ins, tally.stand_ins_notified, tally.numbers,
        tally.margins_exact, tally.margins_bounded, tally.margins_unknown, tally.silent_twice,
        tally.call_packets, tally.peers_tried, tally.sas, tally.sas_kept, tally.stops,
        tally.stops_again);
    return 0;
}

}  // namespace

}  // namespace vpnha::sim

int main(int count, char** arguments) {
    const auto options = vpnha::sim::parse_options(count, arguments);
    if (!options) {
        std::fputs(vpnha::sim::kUsage, stderr);
        return 64;
    }
    return vpnha::sim::run(*options);
}
