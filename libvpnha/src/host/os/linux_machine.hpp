// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <future>

#include "ports/machine.hpp"

namespace vpnha::adapters {

// Resets this node: reboot(2), and, if it still runs two seconds after limit_life(), SysRq b, which
// cannot be blocked. Both need the node's root, not a container's.
class LinuxMachine final : public ports::Machine {
  public:
    void limit_life() override;
    Error reset() override;

  private:
    std::shared_future<Error> last_word_;  // Why SysRq did not reset it either.
};

}  // namespace vpnha::adapters
