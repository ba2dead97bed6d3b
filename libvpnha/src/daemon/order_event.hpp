// SPDX-License-Identifier: GPL-2.0-or-later
// Who gave vpnhad an order by the control socket: a line of the log, for an audit.
#pragma once

#include <optional>
#include <string>

#include "config/config.hpp"
#include "host/control/control_server.hpp"

namespace vpnha::runtime {

struct Caller {
    uid_t uid = 0;
    pid_t process = 0;
    std::optional<uid_t> login{};  // As whom the person logged in; kept by sudo and su.
    std::string program{};         // Empty: it has ended.
};
// By the kernel, of a process that waits for its answer.
[[nodiscard]] Caller caller_of(const adapters::ControlRequest& request);

// False: the request changes nothing, or comes from an agent, or is a move that is asked for again.
[[nodiscard]] bool is_order(const adapters::ControlRequest& request);
// "drain was ordered event=ordered verb=drain gateway=dialin uid=0 login=1000 process=812
// program=vpnha".
[[nodiscard]] std::string order_line(const adapters::ControlRequest& request, const Caller& caller,
                                     const config::Config& config);

}  // namespace vpnha::runtime
