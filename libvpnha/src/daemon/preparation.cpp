// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/preparation.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include "daemon/checks/clock_rate.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/log.hpp"
#include "host/os/process.hpp"
#include "host/systemd/journal.hpp"
#include "protocols/tables.hpp"

namespace vpnha::runtime {

using adapters::write_log;

namespace {

// A draining vpnhad that was stopped may be about to end when Pacemaker starts the next one.
constexpr std::chrono::milliseconds kLockPatience{2000};
constexpr const char* kNodeLocks = "/run/vpnha";

void log_restart(const Restart& restart) {
    if (restart.count == 0) {
        return;
    }
    write_log(LogLevel::error,
              fmt::format("vpnhad had died of {}; this is its next start event=restarted "
                          "restarts={}",
                          restart.death, restart.count));
    if (restart.votes_only) {
        write_log(LogLevel::error,
                  "vpnhad died several times one after the other; it only votes for now "
                  "event=votes-only");
    }
}

}  // namespace

Result<Prepared> prepare(const DaemonOptions& options) {
    VPNHA_CHECK(adapters::forbid_dumps());
    VPNHA_TRY(config::Config config, config::load(options.config_file));
    VPNHA_CHECK(adapters::open_log(config.log_level, options.log_file));
    adapters::write_log_at_a_crash();
    if (options.journal) {
        adapters::log_failure("the log's file alone is written", adapters::log_to_journal());
    }
    log_restart(options.restart);
    VPNHA_CHECK(adapters::refuse_shifted_clock());
    VPNHA_CHECK(check_clock_rate(config.clock_rate_ppm));
    VPNHA_TRY(auto node_lock, adapters::take_node_lock(kNodeLocks, kLockPatience));
    VPNHA_TRY(auto lock, adapters::StateLock::take(config.state_directory, kLockPatience));
    if (const Result<void> real_time = adapters::run_in_real_time(); !real_time) {
        write_log(LogLevel::warning,
                  real_time.error().detail + ": a busy node may lose its lease event=no-real-time");
    }
    if (const Result<void> locked = adapters::lock_memory(); !locked) {
        write_log(LogLevel::warning,
                  locked.error().detail +
                      ": where this node has swap, keys of sessions may reach its disk "
                      "event=no-memory-lock");
    }
    if (sodium_init() < 0) {
        return fail(Errc::unsupported, "libsodium cannot be initialised");
    }
    return Prepared{std::move(config), std::move(node_lock), std::move(lock)};
}

}  // namespace vpnha::runtime
