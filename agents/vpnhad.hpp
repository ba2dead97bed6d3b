// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon as its agent sees it: a control socket, a process, and, when both fail, what the node
// must still do by itself so that a gateway falls silent here. A daemon that has died is started
// again by keep-vpnhad, for its vote; for Pacemaker it is dead until the gateway's next start.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "host/os/process.hpp"
#include "vpnha/control.hpp"
#include "vpnha/ocf.hpp"

namespace vpnha::agents {

// What the agents of a gateway have in common: its name, and how vpnhad is asked.
[[nodiscard]] ocf::Parameter gateway_parameter();
[[nodiscard]] ocf::Parameter socket_parameter();
[[nodiscard]] ocf::Parameter vpnha_config_parameter();

// The gateway's network namespace; empty: the host's, as on a node without that configuration.
[[nodiscard]] Result<std::string> netns_of(const ocf::Call& call);
// `work`, within it; an outcome when it is not known, or not there.
[[nodiscard]] ocf::Outcome in_network(
    const ocf::Call& call, const std::function<ocf::Outcome(const std::string& netns)>& work);

// The sessions of a gateway on this node, as vpnhad answers. `none` when nobody answers.
enum class Sessions {
    none,
    served,    // The node is promoted.
    draining,  // It is demoted, and serves on until another node's claim ends its lease.
    kept,      // It serves no more, and keeps its records for a start.
};
[[nodiscard]] Sessions sessions_here(const std::string& socket, const std::string& gateway);

// How long a start waits for its daemon: until so long before Pacemaker gives the start up, so that
// the reason is the agent's, and what has begun can be ended. Half of Pacemaker's timeout at least.
[[nodiscard]] std::chrono::milliseconds start_patience(
    const ocf::Call& call, std::chrono::seconds margin = std::chrono::seconds(4));

// On a node whose present boot is fenced: an error with the reason. Else success.
[[nodiscard]] ocf::Outcome refused_if_fenced(const ocf::Call& call);

// The action reload-agent. What runs uses what its start read. A failure would have Pacemaker stop
// the resource, so what is wrong with the new parameters (`valid`) is logged.
[[nodiscard]] ocf::Outcome reload_later(const ocf::Call& call, const ocf::Outcome& valid);

// Of each action, here and in the templates.
inline constexpr std::chrono::seconds kActionTimeout{20};

// For one action: it waits for all of vpnhad's answers together no longer than its time allows.
class Vpnhad {
  public:
    // A start goes by the resource's parameters; what comes after it by what that start went by.
    explicit Vpnhad(const ocf::Call& call);

    // One verb about this agent's gateway; the result as JSON text. Waits while the daemon is
    // starting. `unreachable` when there is none.
    [[nodiscard]] Result<std::string> request(std::string_view verb) const;
    [[nodiscard]] Result<std::string> monitor(bool probe) const;

    // Starts the daemon, with who keeps it, unless one answers already or is being kept, and
    // returns when it answers: how often it was started because one had died. From then on it has
    // as long to answer as at first.
    [[nodiscard]] Result<unsigned> ensure_running();
    // Detached, it serves on for a moment, or keeps its records for a start. False when nobody
    // answers.
    [[nodiscard]] bool continues() const;
    // Waits for the end of a daemon that has no gateway left; at once when it serves others.
    [[nodiscard]] Result<void> wait_ended() const;
    // It does not answer a ping, and its gate is shut: so it serves nobody, and nothing that it
    // should do comes of waiting. Of a promoted one it looks at the gate after 50 ms, and gives it
    // 1 s more behind a shut gate, unless a signal has stopped it. Looks for 1 s on a standby,
    // whose gate is always shut.
    [[nodiscard]] bool hangs() const;
    // The same of a promoted one, for a monitor: a failure costs more than a second look.
    [[nodiscard]] bool hangs_promoted() const;
    // For a daemon that is dead or hangs: ends it, and has the gateway's gate shut, its
    // addresses and rule removed and its services' sessions ended without it. Once for its death.
    // A daemon that was started since then continues: it votes, and opens no gate. A daemon that
    // SIGKILL does not end, because it hangs in the kernel, opens no gate either. Where the kernel
    // blocks the rest for 2 s, it succeeds with a warning: the gate is shut by then.
    [[nodiscard]] Result<void> silence_without_it() const;

    // Exists from start to stop: distinguishes a daemon that died from one that never started.
    [[nodiscard]] bool is_marked() const;
    // A process took the gateway at its start.
    [[nodiscard]] bool has_attached() const;
    // That process has ended. Another one may run by now.
    [[nodiscard]] bool has_died() const;
    // The gateway was silenced without it.
    [[nodiscard]] bool is_silenced() const;
    // The last promote or demote was a promote, and the gateway was not silenced since then.
    [[nodiscard]] bool is_promoted() const;
    // True once for a promoted one, and once after silence_without_it().
    [[nodiscard]] bool spares_monitor() const;
    // Before the gateway's start, then with what attach was answered.
    [[nodiscard]] Result<void> mark() const;
    [[nodiscard]] Result<void> note_process(const std::string& attached) const;
    void note_role(bool promoted) const;
    void unmark() const;

  private:
    // What a start leaves behind for the agents that come after it, beside the parameters.
    struct Mark {
        pid_t process = 0;              // That took the gateway; 0: none yet.
        std::uint64_t start_ticks = 0;  // A pid alone is no identity.
        bool is_promoted = false;       // By the last promote or demote.
        bool is_silenced = false;       // Since its death nothing of the gateway speaks here.
        bool is_spared = false;         // One monitor has kept bad news to itself since then.
    };

    [[nodiscard]] std::string arguments(std::string_view verb, bool probe) const;
    [[nodiscard]] Result<std::string> ask(std::string_view verb,
                                          const std::string& arguments) const;
    [[nodiscard]] std::string mark_file() const;
    [[nodiscard]] Mark read_mark() const;
    [[nodiscard]] Result<void> write_mark(const Mark& mark) const;
    [[nodiscard]] Result<std::vector<adapters::Process>> daemons() const;
    [[nodiscard]] Result<std::vector<adapters::Process>> keepers() const;
    [[nodiscard]] Result<pid_t> start_keeper() const;
    [[nodiscard]] Result<pid_t> start_unit() const;
    // Who is to be ended before the gateway can be silenced.
    [[nodiscard]] Result<std::vector<adapters::Process>> victims() const;
    [[nodiscard]] bool serves_others() const;
    [[nodiscard]] bool hangs(std::chrono::milliseconds patience) const;
    [[nodiscard]] bool is_gate_open() const;
    [[nodiscard]] bool is_stopped() const;

    std::string gateway_;
    std::string resource_;
    std::string config_;
    std::string binary_;
    std::string socket_;
    std::string log_file_;
    std::chrono::steady_clock::time_point start_by_;
    std::chrono::steady_clock::time_point answer_by_;
};

}  // namespace vpnha::agents
