// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad's end of the socket to which pppd's plugin connects: one connection per pppd, for as long
// as that process lives. So the end of the connection shows that the process is gone, however it
// died. Only processes of root are accepted.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/os/qb_loop.hpp"
#include "protocols/ppp/backend/plugin_message.hpp"

namespace vpnha::adapters {

// One connection; never reused.
struct PluginClientId {
    std::uint64_t value = 0;
    friend auto operator<=>(const PluginClientId&, const PluginClientId&) = default;
};

struct PluginListener {
    // The listener answers, now or later, with PluginServer::give() or refuse().
    std::function<void(PluginClientId, PluginAsks)> on_asks;
    // The first session of this connection, or a newer one that replaces it. The listener answers,
    // now or later, with PluginServer::answer().
    std::function<void(PluginClientId, PluginSessionUp)> on_up;
    // IPCP is down; the process is still there and may send `up` again.
    std::function<void(PluginClientId, PluginSessionDown)> on_down;
    // The process is gone, after it sent a request or `up`. Announced: it ended in an orderly way,
    // and has notified the client; otherwise it was killed.
    std::function<void(PluginClientId, bool announced)> on_gone;
    // A message of that process did not parse; its connection is closed. The plugin connects again.
    std::function<void(pid_t, const Error&)> on_malformed;
};

struct PluginCounters {
    std::uint64_t malformed = 0;   // Messages that did not parse; their connection was closed.
    std::uint64_t refused = 0;     // Connections not by root, or beyond limits::kPluginClientsMax.
    std::uint64_t unreceived = 0;  // Answers for which a pppd had no room.
};

class PluginServer {
  public:
    // Fails with `already_exists` when another daemon answers at the path. The listener is called
    // in the loop; it must not destroy the server.
    [[nodiscard]] static Result<std::unique_ptr<PluginServer>> open(QbLoop& loop,
                                                                    const std::string& path,
                                                                    PluginListener listener);
    ~PluginServer();
    PluginServer(const PluginServer&) = delete;
    PluginServer& operator=(const PluginServer&) = delete;

    // Sends the pppd the state of its session: protected when the reason is empty. May be repeated
    // when that changes; ignored when the process is gone.
    void answer(PluginClientId client, std::string_view unprotected_reason);

    // To one that requested an address; 0.0.0.0: it uses its own.
    void give(PluginClientId client, Ipv4Address address);
    // No address is free, or the session clashes with another: the pppd ends it, and logs why.
    void refuse(PluginClientId client, std::string_view reason);

    // The session has these time-outs from now on, and that rate, if there is one; ignored when the
    // process is gone.
    void change(PluginClientId client, const ppp::Timeouts& timeouts,
                const std::optional<Rate>& rate);

    // The pppd notifies its client that the session is over, and ends; ignored when it is gone.
    void end(PluginClientId client);

    [[nodiscard]] const PluginCounters& counters() const;

  private:
    struct State;
    explicit PluginServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::adapters
