// SPDX-License-Identifier: GPL-2.0-or-later
// /run as the stock daemons of a network namespace see it. Charon, pppd and pptpd put sockets and
// files of fixed names directly into /run, so several of them on one node would conflict. So the
// daemons of each namespace get a mount namespace in which files of /run are their own, and folders
// of /run are the node's.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// The node's path of the /run for that network namespace; "/run" for "", the host's.
[[nodiscard]] std::string run_directory(const std::string& netns);

class PrivateRun {
  public:
    // Makes the mounts for enter(). The daemons do not see folders that are added to /run later.
    [[nodiscard]] static Result<PrivateRun> prepare(const std::string& netns);

    // In a child that is to execute a program: only system calls. 0, or an errno.
    [[nodiscard]] int enter() const;

  private:
    std::string directory_;
    std::vector<std::pair<std::string, std::string>> shared_;  // Source and target of each mount.
};

}  // namespace vpnha::adapters
