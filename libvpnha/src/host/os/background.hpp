// SPDX-License-Identifier: GPL-2.0-or-later
// Work that may take long, such as ending a thousand processes and starting a new one: in a thread,
// while the loop handles everything else.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <thread>
#include <utility>

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
    // Waits for the pending work; its `done` is not called.
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    // `work` runs in the thread, `done` with its result at a later turn of the loop. An error when
    // no thread is available: then neither runs.
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

// Such work in the order of its arrival, one after the other.
class BackgroundQueue {
  public:
    // `timer` is a name on the loop, which must outlive it.
    BackgroundQueue(QbLoop& loop, int timer, Background::Pace pace)
        : loop_(loop), timer_(timer), pace_(pace), background_(std::in_place, loop, pace) {}
    // Waits for the pending work; the rest is not done.
    ~BackgroundQueue() { loop_.cancel_timer(timer_); }
    BackgroundQueue(const BackgroundQueue&) = delete;
    BackgroundQueue& operator=(const BackgroundQueue&) = delete;

    // Without an available thread, `done` is called with that error.
    void add(Background::Work work, Background::Done done);
    // All work is done when this returns, and no `done` is called.
    void finish();

  private:
    struct Job {
        Background::Work work;
        Background::Done done;
    };

    void begin();
    void end(const Result<void>& result);

    QbLoop& loop_;
    int timer_;
    Background::Pace pace_;
    std::deque<Job> jobs_;  // The first one is under way.
    std::optional<Background> background_;
};

}  // namespace vpnha::adapters
