// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/lease/lease_saver.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

#include "adapters/os/process.hpp"
#include "adapters/os/thread.hpp"

namespace vpnha::adapters {

Result<std::unique_ptr<LeaseSaver>> LeaseSaver::start(QbLoop& loop, LeaseFiles files) {
    UniqueFd ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!ready) {
        return tl::unexpected(system_error("eventfd", errno));
    }
    const int fd = ready.get();
    std::unique_ptr<LeaseSaver> saver(new LeaseSaver(loop, std::move(files), std::move(ready)));
    // Before the others of a turn: answers to a claim wait for it.
    VPNHA_CHECK(loop.watch(
        fd, [raw = saver.get()] { raw->tell(); }, QbLoop::Priority::high));
    // The loop waits for it before it claims and before it answers a claim.
    VPNHA_TRY(saver->thread_, start_thread([raw = saver.get(), real_time = runs_in_real_time()] {
                  if (real_time) {
                      static_cast<void>(run_in_real_time());
                  }
                  raw->work();
              }));
    return saver;
}

LeaseSaver::LeaseSaver(QbLoop& loop, LeaseFiles files, UniqueFd ready)
    : loop_(loop), ready_(std::move(ready)), files_(std::move(files)) {}

LeaseSaver::~LeaseSaver() {
    loop_.unwatch(ready_.get());
    if (thread_.joinable()) {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        wanted_.notify_one();
        thread_.join();
    }
}

void LeaseSaver::save(GatewayId gateway, lease::Durable durable, std::uint64_t ticket, Done done) {
    {
        const std::lock_guard lock(mutex_);
        std::uint64_t& newest = newest_[gateway];
        if (ticket <= newest) {
            return;  // What is newer waits, is being written, or was; its answer is this one's too.
        }
        newest = ticket;
        leases_.insert_or_assign(gateway, Lease{std::move(durable), std::move(done)});
    }
    wanted_.notify_one();
}

void LeaseSaver::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        wanted_.wait(lock, [this] { return ending_ || !leases_.empty(); });
        if (leases_.empty()) {
            return;
        }
        auto next = leases_.extract(leases_.begin());
        lock.unlock();
        Finished finished{std::move(next.mapped().done), {}};
        finished.result = files_.save(next.key(), next.mapped().durable);
        lock.lock();
        finished_.push_back(std::move(finished));
        ::eventfd_write(ready_.get(), 1);
    }
}

void LeaseSaver::tell() {
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
