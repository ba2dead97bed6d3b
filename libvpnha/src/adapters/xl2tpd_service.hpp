// SPDX-License-Identifier: GPL-2.0-or-later
// One gateway's stock xl2tpd on this node, and the pppds it started. All that concerns it lies in
// <run root>/<gateway>/: pid, control pipe (l2tp-control), lock, `ending` after stop_later(), and
// `started`, which holds what the daemon was started with, so that it can be found, ended and
// started again in the same way by a process that knows nothing but the gateway's name.
//
// The daemon is never asked to end: on SIGTERM it would tell its peers (StopCCN), and a pppd that
// dies under a living xl2tpd makes it send CDN. So xl2tpd gets SIGKILL first, then its pppds.
//
// Every call holds the lock: a monitor waits while the daemon is being replaced.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "adapters/process.hpp"
#include "adapters/unique_fd.hpp"
#include "base/ids.hpp"

namespace vpnha::adapters {

class Xl2tpdService {
  public:
    struct Settings {
        std::string binary;
        std::string config;        // xl2tpd.conf; its listen-addr is the gateway's VIP.
        std::string options_file;  // Of its pppds; empty: those named in the config.
        std::string resource;      // Its name in the cluster.
    };
    enum class State {
        stopped,
        running,
        dead,  // It was started and is gone, or something of it is left.
    };

    static constexpr const char* kRunRoot = "/run/vpnha/xl2tpd";

    explicit Xl2tpdService(std::string gateway, const std::string& run_root = kRunRoot);

    // Could this node start it? The program, the kernel's setting and the configuration.
    [[nodiscard]] static Result<void> check(const Settings& settings);
    // Returns when the daemon takes calls. Running already with the same settings is a success.
    Result<void> start(const Settings& settings);
    // Nothing of it remains and its endpoint is mute.
    Result<void> stop();
    // Stopped for whoever asks, but it serves on until the next reset(): its node is draining.
    Result<void> stop_later();
    [[nodiscard]] Result<State> status() const;
    struct Running {
        UniqueFd process;      // Readable when the daemon has ended; none when it has already.
        std::string resource;  // Its name in the cluster.
    };
    // nullopt: it is not to run.
    [[nodiscard]] std::optional<Running> running() const;
    // Ends all sessions and leaves the daemon idle, as it was started. Without a start: nothing.
    // After stop_later(): what stop() does.
    Result<void> reset();
    // Begins the same in a child, which holds the lock, and whose failure is found by status(). For
    // a program that ends now, and that somebody waits for.
    Result<void> begin_reset();
    // Returns when nobody holds the lock.
    [[nodiscard]] Result<void> wait_idle() const;

  private:
    // The file `started`.
    struct Started {
        Ipv4Endpoint endpoint;
        std::vector<std::string> options_files;
        std::vector<std::string> arguments;
        std::string resource;
        friend bool operator==(const Started&, const Started&) = default;
    };

    struct Held {
        UniqueFd lock;
        Started started;
    };

    [[nodiscard]] std::string path(const char* name) const;
    [[nodiscard]] Result<Started> plan(const Settings& settings) const;
    [[nodiscard]] std::optional<Started> read_started() const;
    // nullopt, and no lock, when it was not started. `operation`: LOCK_EX or LOCK_SH.
    [[nodiscard]] Result<std::optional<Held>> hold_started(int operation) const;
    [[nodiscard]] Result<void> write_started(const Started& started) const;
    [[nodiscard]] std::optional<Process> daemon(const Started& started) const;
    [[nodiscard]] bool is_serving(const Started& started) const;
    [[nodiscard]] static Result<std::vector<Process>> remains(const Started& started);
    [[nodiscard]] Result<void> kill_all(const Started& started) const;
    [[nodiscard]] Result<void> end(const Started& started) const;
    [[nodiscard]] Result<void> replace(const Started& started) const;
    [[nodiscard]] bool is_ending() const;
    [[nodiscard]] Result<void> launch(const Started& started) const;

    std::string gateway_;
    std::string directory_;
};

}  // namespace vpnha::adapters
