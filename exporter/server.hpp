// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP by libmicrohttpd on a socket that the caller has opened: one thread, bounded connections.
#pragma once

#include <chrono>
#include <memory>

#include "exporter/contents.hpp"
#include "host/os/unique_fd.hpp"

struct MHD_Daemon;

namespace vpnha::exporter {

class Server {
  public:
    // Error: `listener` is no stream socket that listens. `contents` must outlive the server.
    [[nodiscard]] static Result<Server> on(const adapters::UniqueFd& listener, Contents& contents);

    // Answers the requests that have arrived, and those that arrive within that time.
    [[nodiscard]] Result<void> run(std::chrono::milliseconds at_most);

  private:
    struct Stop {
        void operator()(MHD_Daemon* daemon) const;
    };
    explicit Server(MHD_Daemon* daemon) : daemon_(daemon) {}

    std::unique_ptr<MHD_Daemon, Stop> daemon_;
};

}  // namespace vpnha::exporter
