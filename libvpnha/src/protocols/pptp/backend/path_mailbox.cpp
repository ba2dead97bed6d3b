// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/path_mailbox.hpp"

#include <sys/eventfd.h>

#include <iterator>

namespace vpnha::adapters {

namespace {

void clear_eventfd(int fd) {
    eventfd_t value = 0;
    ::eventfd_read(fd, &value);
}

}  // namespace

void PathMailbox::post(DataPath::Command command) {
    {
        const std::lock_guard lock(mutex_);
        if (failure_) {
            return;
        }
        if (commands_.size() < kCommandsMax) {
            commands_.push_back(std::move(command));
        } else {
            commands_.clear();
            failure_ = {Errc::limit, "PPTP's data path has failed: it does no commands"};
            ::eventfd_write(events_fd(), 1);
        }
    }
    ::eventfd_write(commands_fd(), 1);
}

void PathMailbox::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    ::eventfd_write(commands_fd(), 1);
}

std::vector<DataPath::Event> PathMailbox::take_events() {
    clear_eventfd(events_fd());
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
}

std::optional<Error> PathMailbox::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

pptp::CallCounters PathMailbox::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

std::vector<DataPath::Command> PathMailbox::take_commands() {
    clear_eventfd(commands_fd());
    const std::lock_guard lock(mutex_);
    return std::exchange(commands_, {});
}

bool PathMailbox::is_stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

void PathMailbox::notify(std::vector<DataPath::Event> events) {
    {
        const std::lock_guard lock(mutex_);
        std::move(events.begin(), events.end(), std::back_inserter(events_));
    }
    ::eventfd_write(events_fd(), 1);
}

void PathMailbox::count(const pptp::CallCounters& counters) {
    const std::lock_guard lock(mutex_);
    counters_ = counters;
}

void PathMailbox::fail(Error error) {
    {
        const std::lock_guard lock(mutex_);
        commands_.clear();
        failure_ = std::move(error);
    }
    ::eventfd_write(events_fd(), 1);
}

}  // namespace vpnha::adapters
