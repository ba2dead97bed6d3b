// SPDX-License-Identifier: GPL-2.0-or-later
// Programs of Pacemaker that tell it something. The loop waits for none of them; how each ended is
// told at a later turn.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <vector>

#include "adapters/os/qb_loop.hpp"
#include "adapters/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::runtime {

class PacemakerTools {
  public:
    using Done = std::function<void(const Result<void>&)>;

    // The loop must outlive it.
    explicit PacemakerTools(adapters::QbLoop& loop) : loop_(loop) {}
    // Programs under way go on; nobody is told of their end.
    ~PacemakerTools();
    PacemakerTools(const PacemakerTools&) = delete;
    PacemakerTools& operator=(const PacemakerTools&) = delete;

    // The program's path comes first. One that cannot be started is told at once.
    void start(std::vector<std::string> arguments, Done done);

  private:
    struct Running {
        std::string program;
        int pid;
        adapters::UniqueFd watch;  // Readable when the process has ended.
        Done done;
    };
    using Place = std::list<Running>::iterator;

    void finish(Place place);

    adapters::QbLoop& loop_;
    std::list<Running> running_;
};

}  // namespace vpnha::runtime
