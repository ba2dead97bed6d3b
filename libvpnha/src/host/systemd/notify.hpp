// SPDX-License-Identifier: GPL-2.0-or-later
// What `systemctl status vpnhad` shows, and the sign of life that systemd's watchdog waits for:
// text in one datagram to $NOTIFY_SOCKET, as sd_notify(3) has it.
#pragma once

#include <string>
#include <string_view>

#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

class ServiceManager {
  public:
    // By the environment of this process. Where that names no socket, or one that nobody reads,
    // nobody is notified.
    [[nodiscard]] static ServiceManager of_environment();
    explicit ServiceManager(const std::string& socket);

    [[nodiscard]] bool is_there() const { return static_cast<bool>(socket_); }
    // "WATCHDOG=1\nSTATUS=…". Never blocks: what does not fit now is lost.
    void notify(std::string_view state) const;

  private:
    UniqueFd socket_;
};

}  // namespace vpnha::adapters
