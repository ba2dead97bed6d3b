// SPDX-License-Identifier: GPL-2.0-or-later
// Whose node this is: the one vpnhad that may touch gates, addresses and the lease's files. Taken
// before anything else, held until the process has ended, however it ends. So whoever holds it
// knows that every vpnhad before it is dead, and what it promised is no younger than this lock.
#pragma once

#include <chrono>
#include <string>

#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

// The node's own lock, beside that of the state directory: two configurations with two state
// directories would otherwise have two vpnhads at one gate. It belongs to this network namespace,
// as devices do. `directory` is of the node, below /run, and is made when it is not there. Held and
// waited for as StateLock. Error already_exists: another vpnhad has it after `patience`.
[[nodiscard]] Result<UniqueFd> take_node_lock(const std::string& directory,
                                              std::chrono::milliseconds patience);

class StateLock {
  public:
    // Of the state directory, which is made when it is not there. Waits for a vpnhad that is about
    // to end. Error already_exists: another one has it after `patience`; errors of
    // StateDirectory::open().
    [[nodiscard]] static Result<StateLock> take(const std::string& directory,
                                                std::chrono::milliseconds patience);

  private:
    explicit StateLock(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;  // The lock is that of the open directory: no program started later has it.
};

}  // namespace vpnha::adapters
