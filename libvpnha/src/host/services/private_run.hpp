// SPDX-License-Identifier: GPL-2.0-or-later
// /run as the stock daemons of a network namespace have it. Charon, pppd and pptpd put sockets and
// files of fixed names straight into /run, which several of them on one node would share. So the
// daemons of each namespace get a mount namespace in which files of /run are their own, and
// folders of /run are the node's.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "vpnha/result.hpp"

namespace vpnha::adapters {

// Where the node has the /run of the daemons in that network namespace; "/run" for "", the host's.
[[nodiscard]] std::string run_directory(const std::string& netns);

class PrivateRun {
  public:
    // Makes what enter() mounts. Folders that come into /run later are not seen by the daemons.
    [[nodiscard]] static Result<PrivateRun> prepare(const std::string& netns);

    // In a child that is to execute a program: makes system calls alone. 0, or an errno.
    [[nodiscard]] int enter() const;

  private:
    std::string directory_;
    std::vector<std::pair<std::string, std::string>> shared_;  // What is seen where.
};

}  // namespace vpnha::adapters
