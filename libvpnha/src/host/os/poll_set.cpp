// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/poll_set.hpp"

#include <sys/epoll.h>

#include <cerrno>

#include "base/limits.hpp"
#include "host/os/boot_clock.hpp"

namespace vpnha::adapters {

namespace {

// Callbacks in one turn of the loop, so that a flood here starves nothing else: ~1 ms of work, and
// never longer than limits::kLoopSlice and the last one.
constexpr int kCallbacksPerTurn = 32;

epoll_event event_for(int fd, bool read, bool write) {
    epoll_event event{};
    event.events = (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U);
    event.data.fd = fd;
    return event;
}

}  // namespace

Result<std::unique_ptr<PollSet>> PollSet::create() {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) {
        return tl::unexpected(system_error("epoll_create1", errno));
    }
    return std::unique_ptr<PollSet>(new PollSet(std::move(epoll)));
}

Result<std::unique_ptr<PollSet>> PollSet::create(QbLoop& loop) {
    VPNHA_TRY(std::unique_ptr<PollSet> set, create());
    VPNHA_CHECK(loop.watch(set->fd(), [raw = set.get()] { raw->dispatch(); }));
    set->loop_ = &loop;
    return set;
}

PollSet::~PollSet() {
    if (loop_ != nullptr) {
        loop_->unwatch(epoll_.get());
    }
}

Result<void> PollSet::watch(int fd, Callback on_readable) {
    return add(fd, [callback = std::move(on_readable)](Readiness) { callback(); });
}

Result<void> PollSet::add(int fd, OnReady on_ready) {
    epoll_event event = event_for(fd, true, false);
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return tl::unexpected(system_error("epoll_ctl", errno));
    }
    callbacks_[fd] = std::move(on_ready);
    return {};
}

void PollSet::want(int fd, bool read, bool write) {
    epoll_event event = event_for(fd, read, write);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void PollSet::remove(int fd) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    callbacks_.erase(fd);
}

void PollSet::dispatch() {
    const TimePoint until = boot_time() + limits::kLoopSlice;
    for (int i = 0; i < kCallbacksPerTurn && boot_time() < until; ++i) {
        // One at a time, so that no event is pending for a descriptor that a callback removed. The
        // kernel takes turns among those that stay ready.
        epoll_event event{};
        if (::epoll_wait(epoll_.get(), &event, 1, 0) != 1) {
            return;
        }
        const auto found = callbacks_.find(event.data.fd);
        if (found == callbacks_.end()) {
            return;
        }
        const OnReady callback = found->second;  // It may remove itself.
        callback({(event.events & EPOLLIN) != 0, (event.events & EPOLLOUT) != 0,
                  (event.events & (EPOLLHUP | EPOLLERR)) != 0});
    }
}

}  // namespace vpnha::adapters
