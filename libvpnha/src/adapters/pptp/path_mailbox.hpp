// SPDX-License-Identifier: GPL-2.0-or-later
// What the loop and the data path's thread leave for each other. Neither waits: a lock is held for
// as long as a vector is moved.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "adapters/os/unique_fd.hpp"
#include "adapters/pptp/data_path.hpp"

namespace vpnha::adapters {

class PathMailbox {
  public:
    // Two eventfds.
    PathMailbox(UniqueFd commands_ready, UniqueFd events_ready)
        : commands_ready_(std::move(commands_ready)), events_ready_(std::move(events_ready)) {}

    [[nodiscard]] int commands_fd() const { return commands_ready_.get(); }
    [[nodiscard]] int events_fd() const { return events_ready_.get(); }

    // The loop's.
    void post(DataPath::Command command);
    void stop();
    [[nodiscard]] std::vector<DataPath::Event> take_events();
    [[nodiscard]] pptp::CallCounters counters() const;

    // The thread's.
    [[nodiscard]] std::vector<DataPath::Command> take_commands();
    [[nodiscard]] bool is_stopped() const;
    void tell(std::vector<DataPath::Event> events, const pptp::CallCounters& counters);

  private:
    UniqueFd commands_ready_;
    UniqueFd events_ready_;
    mutable std::mutex mutex_;  // Of all below.
    bool stopped_ = false;
    std::vector<DataPath::Command> commands_;
    std::vector<DataPath::Event> events_;
    pptp::CallCounters counters_;
};

}  // namespace vpnha::adapters
