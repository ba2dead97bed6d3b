// SPDX-License-Identifier: GPL-2.0-or-later
// Programs of Pacemaker that pass values to it. Each is started and waited for in a separate
// thread: posix_spawn() returns only when the program is read from the disk. The end of a program
// is reported at a later turn of the loop.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "host/os/qb_loop.hpp"
#include "vpnha/result.hpp"

namespace vpnha::runtime {

class PacemakerTools {
  public:
    using Done = std::function<void(const Result<void>&)>;

    // The loop must outlive it.
    explicit PacemakerTools(adapters::QbLoop& loop) : loop_(loop) {}
    // Pending programs continue; `done` is not called for them.
    ~PacemakerTools();
    PacemakerTools(const PacemakerTools&) = delete;
    PacemakerTools& operator=(const PacemakerTools&) = delete;

    // The program's path comes first. `environment`: NAME=VALUE, besides PATH. An error, by `done`:
    // the program could not be started, or its exit code is not 0. Only if no thread can be
    // prepared `done` is called within start().
    void start(std::vector<std::string> arguments, Done done,
               std::vector<std::string> environment = {});

  private:
    struct Job;  // Shared with the thread, which may outlive this.
    struct Running {
        std::shared_ptr<Job> job;
        Done done;
    };
    using Place = std::list<Running>::iterator;

    void finish(Place place);

    adapters::QbLoop& loop_;
    std::list<Running> running_;
};

}  // namespace vpnha::runtime
