// SPDX-License-Identifier: GPL-2.0-or-later
// One gateway's stock daemon on this node, such as xl2tpd or charon, and the
// processes it started. All its files are in <run root>/<kind>/<gateway>/: pid,
// lock, `ending` after stop_later(), the daemon's own files, and `started`,
// which holds the daemon's start parameters. So a process that knows only
// the gateway's name can find it, end it, and start it again in the same way.
//
// A daemon's special needs are in its StockKind, a table.
//
// Every call holds the lock: a monitor waits while the daemon is being replaced. Checks and starts
// happen in the daemon's network namespace.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "host/os/network_descriptor.hpp"
#include "host/os/process.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

// The file `started`.
struct StockStarted {
    std::vector<std::string> arguments;  // Of the daemon; they distinguish it from all others.
    std::vector<std::string> environment{};
    std::string resource{};  // Its name in the cluster.
    std::string netns{};     // Its network namespace; empty: the caller's.
    // RLIMIT_DATA of it and its children, in MiB; 0: none.
    std::uint64_t memory_max_mib = 0;
    // Facts that its kind needs later. Names may repeat.
    std::vector<std::pair<std::string, std::string>> facts{};

    [[nodiscard]] std::vector<std::string> facts_of(std::string_view name) const;
    // The first one of that name, or an empty text.
    [[nodiscard]] std::string fact(std::string_view name) const;

    friend bool operator==(const StockStarted&, const StockStarted&) = default;
};

// A daemon as its kind sees it.
struct StockInstance {
    const std::string& gateway;
    const std::string& directory;
    const StockStarted& started;

    [[nodiscard]] std::string path(const char* name) const { return directory + "/" + name; }
    // The command with the daemon's /run (host/services/private_run.hpp).
    [[nodiscard]] Result<Command> place(Command command) const;
    // nullopt: it is gone.
    [[nodiscard]] std::optional<Process> process() const;
};

struct StockKind {
    const char* name;
    std::chrono::milliseconds start_timeout{};  // The least time that a start waits for it.
    // SIGTERM and so much time come before SIGKILL; 0: the daemon is never asked to end.
    std::chrono::milliseconds end_patience{0};
    // A release leaves it running; only stop, a fenced life and a dead vpnhad end it.
    bool outlives_release = false;
    bool writes_pid_file = false;

    // It was executed: whether it accepts requests.
    bool (*is_ready)(const StockInstance& daemon) = nullptr;
    // It runs: whether it still has what it needs to serve.
    bool (*is_serving)(const StockInstance& daemon) = nullptr;
    // Why it is not ready, for errors: after it has ended by itself, and after start_timeout.
    std::string (*why_ended)(const StockInstance& daemon) = nullptr;
    std::string (*why_not_ready)(const StockInstance& daemon) = nullptr;

    // The rest is optional. Called before the daemon is executed,
    // after it is ready, before stop() ends it, and after it and
    // its helpers are gone. `patience`: the rest of the start's.
    Result<void> (*before_start)(const StockInstance& daemon) = nullptr;
    Result<void> (*after_start)(const StockInstance& daemon,
                                std::chrono::milliseconds patience) = nullptr;
    Result<void> (*before_stop)(const StockInstance& daemon) = nullptr;
    Result<void> (*after_end)(const StockInstance& daemon) = nullptr;
    // A process that outlives the daemon if it is not ended too.
    bool (*is_helper)(const StockStarted& started, const Process& process) = nullptr;
    // Each of its slots has a client: it accepts no more, and is healthy.
    bool (*is_full)(const StockStarted& started) = nullptr;
    // The daemon serves: whether it does so correctly; an error has the reason.
    Result<void> (*look_closely)(const StockInstance& daemon) = nullptr;
};

class StockService {
  public:
    enum class State {
        stopped,
        running,
        dead,  // It was started and is gone, or a process of it is left.
    };
    enum class Depth { process, answers };

    static constexpr const char* kRunRoot = "/run/vpnha";

    // `kind` must outlive it.
    StockService(const StockKind& kind, std::string gateway,
                 const std::string& run_root = kRunRoot);

    [[nodiscard]] const StockKind& kind() const { return *kind_; }
    // The path of a file in its directory.
    [[nodiscard]] std::string path(const char* name) const;
    // Returns when the daemon accepts calls. Running already as wanted is a success. A daemon that
    // is not ready after `patience` is an error, and not before the kind's start_timeout.
    Result<void> start(const StockStarted& wanted, std::chrono::milliseconds patience = {});
    // Removes all of it; no client is notified.
    Result<void> stop();
    // Stopped according to status(), but it still serves until the next reset().
    Result<void> stop_later();
    // After stop_later(): it counts as never stopped, and serves as it was started. False: there
    // is nothing to take back.
    Result<bool> take_back();
    // A start with the same parameters would have nothing to do.
    [[nodiscard]] bool is_running_as(const StockStarted& wanted) const;
    // At Depth::answers an error is the reason why a running daemon does not serve.
    [[nodiscard]] Result<State> status(Depth depth = Depth::process) const;
    struct Running {
        UniqueFd process;      // Readable when the daemon has ended; none when it has already.
        std::string resource;  // Its name in the cluster.
    };
    // nullopt: it is not to run.
    [[nodiscard]] std::optional<Running> running() const;
    // Its start parameters; nullopt: it was not started, or this process may not read them.
    [[nodiscard]] std::optional<StockStarted> read_started() const;
    // Ends all sessions and leaves the daemon idle, as it was started. Without a start: no effect.
    // After stop_later(): the same as stop().
    Result<void> reset();
    // For a release: reset(). A daemon that outlives a release ends only the pending part of
    // stop_later().
    Result<void> release();
    // Begins reset() in a child, which holds the lock, and whose failure status() finds. For a
    // program that ends now, and for which another one waits.
    Result<void> begin_reset();
    // Returns when nobody holds the lock.
    [[nodiscard]] Result<void> wait_idle() const;

  private:
    struct Held {
        UniqueFd lock;
        StockStarted started;
        std::unique_ptr<InNetwork> within;
    };

    [[nodiscard]] StockInstance instance(const StockStarted& started) const;
    // nullopt, and no lock, when it was not started. `operation`: LOCK_EX or LOCK_SH.
    [[nodiscard]] Result<std::optional<Held>> hold_started(int operation) const;
    [[nodiscard]] Result<void> write_started(const StockStarted& started) const;
    [[nodiscard]] std::optional<Process> daemon(const StockStarted& started) const;
    [[nodiscard]] bool is_serving(const StockStarted& started) const;
    // Whether it is the daemon, or one of its helpers.
    [[nodiscard]] bool is_remain(const StockStarted& started, const Process& process) const;
    [[nodiscard]] Result<std::vector<Process>> remains(const StockStarted& started) const;
    [[nodiscard]] Result<void> end_all(const StockStarted& started) const;
    [[nodiscard]] Result<void> end(const StockStarted& started) const;
    [[nodiscard]] Result<void> replace(const StockStarted& started) const;
    [[nodiscard]] bool is_ending() const;
    [[nodiscard]] Result<void> launch(const StockStarted& started,
                                      std::chrono::milliseconds patience = {}) const;
    [[nodiscard]] Result<void> wait_ready(const StockStarted& started, pid_t pid,
                                          std::chrono::milliseconds patience) const;

    const StockKind* kind_;
    std::string gateway_;
    std::string directory_;
};

}  // namespace vpnha::adapters
