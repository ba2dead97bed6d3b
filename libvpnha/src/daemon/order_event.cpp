// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/order_event.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "base/number.hpp"
#include "host/os/text_file.hpp"

namespace vpnha::runtime {

namespace {

constexpr std::array kOrders{"confirm_dead", "drain",      "release", "resync",
                             "session_end",  "switchover", "undrain", "vote_without"};

std::string of_process(pid_t process, std::string_view file) {
    std::string text = adapters::read_text(fmt::format("/proc/{}/{}", process, file));
    return text.substr(0, text.find('\n'));
}

}  // namespace

Caller caller_of(const adapters::ControlRequest& request) {
    Caller caller{.uid = request.uid, .process = request.process};
    // A program chooses its own name: a blank or "=" in it could look like a field of the line.
    caller.program = of_process(request.process, "comm");
    std::ranges::replace_if(
        caller.program, [](char each) { return each <= ' ' || each > '~' || each == '='; }, '?');
    const auto login = parse_whole<uid_t>(of_process(request.process, "loginuid"));
    if (login && *login != std::numeric_limits<uid_t>::max()) {
        caller.login = *login;
    }
    return caller;
}

bool is_order(const adapters::ControlRequest& request) {
    return std::ranges::find(kOrders, request.verb) != kOrders.end() &&
           !request.arguments.value("dry_run", false) && !request.arguments.contains("epoch");
}

std::string order_line(const adapters::ControlRequest& request, const Caller& caller,
                       const config::Config& config) {
    const config::Gateway* const gateway =
        config.find(request.arguments.value("gateway", std::string()));
    return fmt::format(
        "{0} was ordered event=ordered verb={0}{1} uid={2}{3} process={4}{5}", request.verb,
        gateway == nullptr ? "" : fmt::format(" gateway={}", gateway->name), caller.uid,
        caller.login ? fmt::format(" login={}", *caller.login) : "", caller.process,
        caller.program.empty() ? "" : fmt::format(" program={}", caller.program));
}

}  // namespace vpnha::runtime
