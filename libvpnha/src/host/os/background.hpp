// SPDX-License-Identifier: GPL-2.0-or-later
// Work that may last, such as the end of a thousand processes and the start of a new one: in a
// thread of its own, while the loop serves everybody else.
#pragma once

#include <functional>
#include <list>
#include <thread>

#include "host/os/qb_loop.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class Background {
  public:
    using Work = std::function<Result<void>()>;
    using Done = std::function<void(const Result<void>&)>;

    enum class Pace {
        low,     // Without vpnhad's preference.
        urgent,  // A takeover waits for the work.
    };

    // The loop must outlive it.
    explicit Background(QbLoop& loop, Pace pace = Pace::low) : loop_(loop), pace_(pace) {}
    // Waits for the work under way; nobody is told of its end.
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    // `work` runs in the thread, `done` with its result at a later turn of the loop. An error when
    // there is no thread to be had: then neither runs.
    Result<void> run(Work work, Done done);

  private:
    struct Job {
        UniqueFd ended;  // An eventfd, readable when the work is done.
        Done done;
        Result<void> result;
        std::thread thread;
    };
    using Place = std::list<Job>::iterator;

    void finish(Place job);

    QbLoop& loop_;
    Pace pace_;
    std::list<Job> jobs_;
};

}  // namespace vpnha::adapters
