// SPDX-License-Identifier: GPL-2.0-or-later
// Ensures that only one vpnhad may change gates, addresses and the lease's files. It is taken
// before anything else, and held until the process has ended, however it ends. So its owner knows
// that every earlier vpnhad is dead, and that their promises are no younger than this lock.
#pragma once

#include <chrono>
#include <string>

#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// The node's own lock, besides that of the state directory: two configurations with two state
// directories would otherwise have two vpnhads at one gate. It belongs to this network namespace,
// as devices do. `directory` is the node's, below /run, and is made when it is missing. Held and
// waited for as StateLock. Error already_exists: another vpnhad has it after `patience`.
[[nodiscard]] Result<UniqueFd> take_node_lock(const std::string& directory,
                                              std::chrono::milliseconds patience);

class StateLock {
  public:
    // Of the state directory, which is made when it is missing. Waits for a vpnhad that is about to
    // end. Error already_exists: another one has it after `patience`; errors of
    // StateDirectory::open().
    [[nodiscard]] static Result<StateLock> take(const std::string& directory,
                                                std::chrono::milliseconds patience);

  private:
    explicit StateLock(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;  // The lock belongs to the open directory: no program started later has it.
};

}  // namespace vpnha::adapters
