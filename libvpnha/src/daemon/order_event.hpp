// SPDX-License-Identifier: GPL-2.0-or-later
// The origin of an order to vpnhad by the control socket: a log line, for an audit.
#pragma once

#include <optional>
#include <string>

#include "config/config.hpp"
#include "host/control/control_server.hpp"

namespace vpnha::runtime {

struct Caller {
    uid_t uid = 0;
    pid_t process = 0;
    std::optional<uid_t> login{};  // The login of the person; kept by sudo and su.
    std::string program{};         // Empty: it has ended.
};
// From the kernel, for a process that waits for its answer.
[[nodiscard]] Caller caller_of(const adapters::ControlRequest& request);

// False: the request changes nothing, is an agent's, or is a move that is requested again.
[[nodiscard]] bool is_order(const adapters::ControlRequest& request);
// "drain was ordered event=ordered verb=drain gateway=dialin uid=0 login=1000 process=812
// program=vpnha".
[[nodiscard]] std::string order_line(const adapters::ControlRequest& request, const Caller& caller,
                                     const config::Config& config);

}  // namespace vpnha::runtime
