// SPDX-License-Identifier: GPL-2.0-or-later
// Signs of life for systemd's watchdog (sd_notify(3)), which ends the unit without them. A timer of
// the loop sends each: so there is none while the loop does not turn.
//
// Without libsystemd, as journal.hpp: a sign is one datagram of a documented format.
#pragma once

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
    };
    // What systemd has left in this process's environment, and takes it out of there: what this
    // process starts is not to speak for it. nullopt: nobody watches. WATCHDOG_PID is not heeded:
    // it is keep-vpnhad's, which has no loop.
    [[nodiscard]] static std::optional<Wish> take_wish();

    // The first sign goes out at once, each other one a quarter of the limit later. Error system:
    // nobody is at the socket.
    [[nodiscard]] static Result<std::unique_ptr<Watchdog>> start(QbLoop& loop, const Wish& wish);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

  private:
    Watchdog(QbLoop& loop, UniqueFd to, Duration pause);
    void sign();

    QbLoop& loop_;
    UniqueFd to_;
    Duration pause_;
};

}  // namespace vpnha::adapters
