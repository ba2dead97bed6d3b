// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon as its agent sees it: a control socket, a process, and, when both fail, what the node
// must still do by itself so that a gateway falls silent here.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "vpnha/control.hpp"
#include "vpnha/ocf.hpp"

namespace vpnha::agents {

// Demoted, it serves on until another node's claim ends its lease; then it ends by itself. False
// when nobody answers.
[[nodiscard]] bool is_lame(const std::string& socket, const std::string& gateway);

// On a node whose present boot is fenced: an error with the reason. Else success.
[[nodiscard]] ocf::Outcome refused_if_fenced(const ocf::Call& call);

class Vpnhad {
  public:
    explicit Vpnhad(const ocf::Call& call);

    // One verb about this agent's gateway; the result as JSON text. Waits while the daemon is
    // starting. `unreachable` when there is none.
    [[nodiscard]] Result<std::string> request(std::string_view verb) const;
    [[nodiscard]] Result<std::string> monitor(bool probe) const;

    // Starts the daemon unless it answers already, and returns when it does.
    [[nodiscard]] Result<void> ensure_running() const;
    [[nodiscard]] bool is_lame() const { return agents::is_lame(socket_, gateway_); }
    // Waits for the end of a daemon that has no gateway left; at once when it serves others.
    [[nodiscard]] Result<void> wait_ended() const;
    // For a daemon that is dead or does not answer: ends it, and has the gateway's gate shut, its
    // addresses and rule removed and its services' sessions ended without it. Once for its death.
    [[nodiscard]] Result<void> silence_without_it() const;

    // Stands from start to stop: what tells a daemon that died from one that was never started.
    [[nodiscard]] bool is_marked() const;
    // True once after silence_without_it().
    [[nodiscard]] bool spares_monitor() const;
    [[nodiscard]] Result<void> mark() const;
    void unmark() const;

  private:
    [[nodiscard]] std::string arguments(bool probe) const;
    [[nodiscard]] Result<std::string> ask(std::string_view verb,
                                          const std::string& arguments) const;
    [[nodiscard]] std::string mark_file() const;
    [[nodiscard]] bool is_silenced() const;
    [[nodiscard]] Result<void> write_mark(std::string_view state) const;
    [[nodiscard]] bool serves_others() const;

    std::string gateway_;
    std::string resource_;
    std::string config_;
    std::string binary_;
    std::string socket_;
    std::string log_file_;
};

}  // namespace vpnha::agents
