// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/background.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

#include "host/os/thread.hpp"

namespace vpnha::adapters {

Background::~Background() {
    for (Job& job : jobs_) {
        loop_.unwatch(job.ended.get());
        job.thread.join();
    }
}

Result<void> Background::run(Work work, Done done) {
    UniqueFd ended(::eventfd(0, EFD_CLOEXEC));
    if (!ended) {
        return tl::unexpected(system_error("eventfd", errno));
    }
    const int fd = ended.get();
    const auto job = jobs_.insert(jobs_.end(), {std::move(ended), std::move(done), {}, {}});
    if (Result<void> watched = loop_.watch(fd, [this, job] { finish(job); }); !watched) {
        jobs_.erase(job);
        return watched;
    }
    Result<std::thread> started = start_thread([job, fd, pace = pace_, todo = std::move(work)] {
        if (pace == Pace::low) {
            become_background();
        }
        job->result = todo();
        ::eventfd_write(fd, 1);
    });
    if (!started) {
        loop_.unwatch(fd);
        jobs_.erase(job);
        return tl::unexpected(started.error());
    }
    job->thread = std::move(*started);
    return {};
}

void Background::finish(Place job) {
    // unwatch() destroys what the loop holds, including the closure that called this.
    loop_.unwatch(job->ended.get());
    job->thread.join();
    const Job ended = std::move(*job);
    jobs_.erase(job);
    ended.done(ended.result);
}

void BackgroundQueue::add(Background::Work work, Background::Done done) {
    jobs_.push_back({std::move(work), std::move(done)});
    if (jobs_.size() == 1) {
        begin();
    }
}

void BackgroundQueue::finish() {
    background_.reset();  // It waits for the pending work.
    loop_.cancel_timer(timer_);
    for (std::size_t n = 1; n < jobs_.size(); ++n) {
        static_cast<void>(jobs_[n].work());
    }
    jobs_.clear();
    background_.emplace(loop_, pace_);
}

void BackgroundQueue::begin() {
    const Result<void> begun = background_->run(std::move(jobs_.front().work),
                                                [this](const auto& result) { end(result); });
    if (!begun) {
        loop_.set_timer(timer_, loop_.now(), [this, begun] { end(begun); });
    }
}

void BackgroundQueue::end(const Result<void>& result) {
    const Background::Done done = std::move(jobs_.front().done);
    jobs_.pop_front();
    if (!jobs_.empty()) {
        begin();
    }
    done(result);
}

}  // namespace vpnha::adapters
