// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of pppd's scripts, for the sessions that this node has resumed: a few at a time, each
// with a time limit, in the order of script_queue.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/limits.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/backend.hpp"
#include "services/scripts/backend/script_queue.hpp"
#include "services/scripts/backend/script_runner.hpp"
#include "services/scripts/work.hpp"

namespace vpnha::runtime {

struct ScriptCounters {
    std::uint64_t done = 0;     // Ended with exit code 0.
    std::uint64_t failed = 0;   // Not started, or ended with another one.
    std::uint64_t killed = 0;   // Lasted too long.
    std::uint64_t dropped = 0;  // Sessions whose scripts were left out.
};

class Scripts final : public ports::Backend {
  public:
    // The interface of a session on this node; empty: it has gone meanwhile.
    using InterfaceOf = std::function<std::string(const wire::RecordKey&)>;

    // The loop must outlive it. `directory`, `timeout`: for tests.
    explicit Scripts(adapters::QbLoop& loop, InterfaceOf interface_of,
                     adapters::ScriptRunner::Settings settings = {.timeout = limits::kScriptMax});

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;
    // `interface`: the session's on this node, when it comes up.
    void execute(const node::RunUpScripts& work, std::string interface);
    void execute(const node::RunDownScripts& work);
    void execute(const node::RunStockDownScripts& work);

    // `done` when none waits or runs any more, or after limits::kScriptsAtEnd; not at once.
    void complete(std::function<void()> done);

    [[nodiscard]] const ScriptCounters& counters() const { return counters_; }
    [[nodiscard]] std::size_t waiting() const { return queue_.waiting(); }
    [[nodiscard]] Status status() const override;

  private:
    void proceed();
    void drop_unless(bool taken);
    void count(const ScriptQueue::Next& run, const adapters::ScriptRunner::Outcome& outcome);
    void end_if_idle();
    void end();

    void carry_out(const node::RunUpScripts& work);
    void carry_out(const node::RunDownScripts& work) { execute(work); }
    void carry_out(const node::RunStockDownScripts& work) { execute(work); }

    adapters::QbLoop& loop_;
    InterfaceOf interface_of_;
    ScriptQueue queue_;
    ScriptCounters counters_;
    std::optional<TimePoint> complain_from_;  // When the next failure is logged.
    std::function<void()> on_idle_;
    adapters::ScriptRunner runner_;
};

}  // namespace vpnha::runtime
