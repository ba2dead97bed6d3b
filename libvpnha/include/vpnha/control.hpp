// SPDX-License-Identifier: GPL-2.0-or-later
// A client of vpnhad's control socket, for tools and resource agents. Requests and results are JSON
// text; docs/reference/control-protocol.md lists the verbs.
//
// Example:
//     vpnha::Result<std::string> status() {
//         VPNHA_TRY(vpnha::ControlClient client,
//                   vpnha::ControlClient::connect("/run/vpnha/control.sock",
//                                                 std::chrono::seconds(5)));
//         return client.request("status");
//     }
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "vpnha/export.hpp"
#include "vpnha/result.hpp"

namespace vpnha {

inline constexpr const char* kControlSocketPath = "/run/vpnha/control.sock";

// One connection, one request at a time. Not for use by two threads at once.
class VPNHA_API ControlClient {
  public:
    // `timeout` bounds connecting, and then each request. Fails with `unreachable` when no vpnhad
    // listens, with `permission` when this user may not use the socket, and with `timeout` when
    // vpnhad does not answer.
    [[nodiscard]] static Result<ControlClient> connect(const std::string& socket,
                                                       std::chrono::milliseconds timeout);
    ~ControlClient();
    ControlClient(ControlClient&& other) noexcept;
    ControlClient& operator=(ControlClient&& other) noexcept;

    // Sends the request, waits for the answer and returns the result as JSON text. An error in
    // vpnhad's answer is returned with its code. After any other failure the connection is closed.
    [[nodiscard]] Result<std::string> request(std::string_view verb,
                                              std::string_view arguments_json = "{}");

  private:
    ControlClient(int fd, std::chrono::milliseconds timeout);

    int fd_ = -1;
    std::chrono::milliseconds timeout_{};
};

}  // namespace vpnha
