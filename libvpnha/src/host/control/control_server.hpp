// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad's end of the control socket. A client sends a request, waits for the answer and may send
// again; until it has read its answer nothing more of it is read. Each request is permitted or
// refused here, by the kernel's credentials of the client (CVE-2020-25654: never by the tool, never
// by the file's mode alone): group vpnha may read, root may do everything.
//
// No client can block the loop or fill the memory: a request and all unread answers are bounded
// (limits.hpp), and a client without progress for a while is dropped. No other user can keep root
// out: root has separate connections and separate room for answers. When root has too many
// connections, the one that was idle longest is dropped for the next.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/os/qb_loop.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct ControlRequest {
    std::string verb{};
    nlohmann::json arguments{};  // An object.
    uid_t uid = 0;
    gid_t gid = 0;
    pid_t process = 0;  // The process that connected.
};

// The right to answer one request once, now or later. A client or server that has gone meanwhile is
// no error. Destroyed without an answer, it answers with an error: so a handler may read arguments
// without type checks, and json's exceptions end here.
class ControlReply {
  public:
    ControlReply(ControlReply&&) noexcept = default;
    ControlReply& operator=(ControlReply&& other) noexcept;
    ~ControlReply();

    void ok(const nlohmann::json& result);
    // `result`: JSON text in pieces, which are never joined: 35 MB would take 100 ms.
    void ok_text(std::vector<std::string> result);
    void error(const Error& error);
    // False: its client is gone. Long work need not be finished.
    [[nodiscard]] bool is_wanted() const;

  private:
    friend class ControlServer;
    struct Client {
        std::function<void(std::vector<std::string>)> send;
        std::function<bool()> is_there;
    };
    explicit ControlReply(Client client);
    void send(std::vector<std::string> pieces);

    std::unique_ptr<Client> client_;  // Null once answered or moved from.
};

struct ControlServerOptions {
    std::string path;
    std::string group = "vpnha";  // If the system has no such group, the socket is root's alone.
    // A client is dropped after so long without progress in a message, or so long idle.
    std::chrono::seconds progress_timeout{10};
    std::chrono::seconds idle_timeout{300};
};

struct ControlCounters {
    std::uint64_t requests = 0;
    std::uint64_t malformed = 0;  // Requests that did not parse.
    std::uint64_t denied = 0;     // Requests that their sender may not make.
    std::uint64_t refused = 0;    // Connections beyond the limits; their clients get `busy`.
    // Clients without progress, with too much unread, or dropped for another client of root.
    std::uint64_t dropped = 0;
};

class ControlServer {
  public:
    using Handler = std::function<void(ControlRequest, ControlReply)>;

    // Fails with `already_exists` when another daemon answers at the path. The handler runs in the
    // loop; it must not destroy the server.
    [[nodiscard]] static Result<std::unique_ptr<ControlServer>> open(
        QbLoop& loop, const ControlServerOptions& options, Handler handler);
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    [[nodiscard]] const ControlCounters& counters() const;

  private:
    struct State;
    explicit ControlServer(std::shared_ptr<State> state);

    // Shared only weakly with the pending replies.
    std::shared_ptr<State> state_;
};

}  // namespace vpnha::adapters
