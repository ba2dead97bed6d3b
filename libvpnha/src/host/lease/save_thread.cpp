// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/save_thread.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

#include "host/os/process.hpp"
#include "host/os/thread.hpp"

namespace vpnha::adapters {

Result<std::unique_ptr<SaveThread>> SaveThread::start() {
    UniqueFd ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!ready) {
        return tl::unexpected(system_error("eventfd", errno));
    }
    std::unique_ptr<SaveThread> saves(new SaveThread(std::move(ready)));
    // The loop waits for it before it claims and before it answers a claim.
    VPNHA_TRY(saves->thread_, start_thread([raw = saves.get(), real_time = runs_in_real_time()] {
                  if (real_time) {
                      static_cast<void>(run_in_real_time());
                  }
                  raw->work();
              }));
    return saves;
}

SaveThread::~SaveThread() {
    if (thread_.joinable()) {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        wanted_.notify_one();
        thread_.join();
    }
}

void SaveThread::save(GatewayId gateway, std::uint64_t ticket, Work work, Done done) {
    {
        const std::lock_guard lock(mutex_);
        std::uint64_t& newest = newest_[gateway];
        if (ticket <= newest) {
            return;  // A newer save waits, is being written, or was; its answer is this one's too.
        }
        newest = ticket;
        saves_.insert_or_assign(gateway, Save{std::move(work), std::move(done)});
    }
    wanted_.notify_one();
}

void SaveThread::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        wanted_.wait(lock, [this] { return ending_ || !saves_.empty(); });
        if (saves_.empty()) {
            return;
        }
        auto next = saves_.extract(saves_.begin());
        lock.unlock();
        Finished finished{std::move(next.mapped().done), next.mapped().work()};
        lock.lock();
        finished_.push_back(std::move(finished));
        ::eventfd_write(ready_.get(), 1);
    }
}

void SaveThread::notify() {
    eventfd_t ignored = 0;
    ::eventfd_read(ready_.get(), &ignored);
    std::deque<Finished> finished;
    {
        const std::lock_guard lock(mutex_);
        finished.swap(finished_);
    }
    for (const Finished& each : finished) {
        each.done(each.result);
    }
}

}  // namespace vpnha::adapters
