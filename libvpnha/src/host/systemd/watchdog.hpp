// SPDX-License-Identifier: GPL-2.0-or-later
// Signs of life for systemd's watchdog (sd_notify(3)), which ends the unit without them. A timer of
// the loop sends each, so a hanging loop sends none.
//
// A sign has the credentials of the unit's main process, which is keep-vpnhad (unix(7),
// SCM_CREDENTIALS; sd_pid_notify(3) does the same). So the unit has NotifyAccess=main, and children
// of vpnhad cannot send for it. The kernel permits that to a process with CAP_SYS_ADMIN.
//
// Without libsystemd, as journal.hpp: a sign is one datagram of a documented format.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "host/os/qb_loop.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

class Watchdog {
  public:
    struct Wish {
        std::string socket;
        Duration limit{};  // Without a sign for so long the unit is ended.
        pid_t main = 0;    // The unit's main process: WATCHDOG_PID, or this one.
    };
    // Reads systemd's settings from this process's environment, and removes them there. nullopt: no
    // watchdog.
    [[nodiscard]] static std::optional<Wish> take_wish();

    // The first sign is sent at once, each other one a quarter of the limit later. Error system:
    // nobody is at the socket, or this process may not send for the main one. Then systemd would
    // end the unit again and again.
    [[nodiscard]] static Result<std::unique_ptr<Watchdog>> start(QbLoop& loop, const Wish& wish);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

  private:
    Watchdog(QbLoop& loop, UniqueFd to, const Wish& wish);
    [[nodiscard]] Result<void> sign();
    void sign_later();

    QbLoop& loop_;
    UniqueFd to_;
    pid_t main_;
    Duration pause_;
};

}  // namespace vpnha::adapters
