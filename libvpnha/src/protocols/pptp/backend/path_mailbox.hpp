// SPDX-License-Identifier: GPL-2.0-or-later
// Commands and events between the loop and the thread of path_broker.hpp. Neither waits for the
// other: the lock is held only while a vector is moved.
//
// A data path that hangs has failed within ten seconds (path_broker.hpp). Before that it counts as
// failed if more commands wait than a takeover has.
#pragma once

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "host/os/unique_fd.hpp"
#include "protocols/pptp/backend/data_path.hpp"

namespace vpnha::adapters {

class PathMailbox {
  public:
    // Commands that wait: each call of a full gateway is removed and prepared anew.
    static constexpr std::size_t kCommandsMax = 2 * limits::kRecordsPerGatewayMax;

    // Two eventfds.
    PathMailbox(UniqueFd commands_ready, UniqueFd events_ready)
        : commands_ready_(std::move(commands_ready)), events_ready_(std::move(events_ready)) {}

    [[nodiscard]] int commands_fd() const { return commands_ready_.get(); }
    [[nodiscard]] int events_fd() const { return events_ready_.get(); }

    // For the loop. After a failure commands are dropped.
    void post(DataPath::Command command);
    void stop();
    [[nodiscard]] std::vector<DataPath::Event> take_events();
    [[nodiscard]] std::optional<Error> failure() const;
    [[nodiscard]] pptp::CallCounters counters() const;

    // For the thread.
    [[nodiscard]] std::vector<DataPath::Command> take_commands();
    [[nodiscard]] bool is_stopped() const;
    void notify(std::vector<DataPath::Event> events);
    void count(const pptp::CallCounters& counters);
    void fail(Error error);

  private:
    UniqueFd commands_ready_;
    UniqueFd events_ready_;
    mutable std::mutex mutex_;  // Protects all members below.
    bool stopped_ = false;
    std::optional<Error> failure_;
    std::vector<DataPath::Command> commands_;
    std::vector<DataPath::Event> events_;
    pptp::CallCounters counters_;
};

}  // namespace vpnha::adapters
