// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/services/repeated_command.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include "host/os/process.hpp"
#include "host/os/thread.hpp"

namespace vpnha::adapters {

void RepeatedCommand::turn(bool is_wanted, TimePoint now) {
    if (!is_wanted) {
        end();
        due_ = {};
        failure_.clear();
        return;
    }
    if (run_.joinable() && has_ended_) {
        end();
        failure_ = !ended_ ? fmt::format("{}: {}", arguments_[0], ended_.error().detail)
                   : *ended_ != 0
                       ? fmt::format("{} ended with exit code {}", arguments_[0], *ended_)
                       : "";
        due_ = now + (failure_.empty() ? pace_.again : pace_.retry);
    }
    if (!arguments_.empty() && !run_.joinable() && now >= due_) {
        begin();
    }
}

void RepeatedCommand::begin() {
    stop_.reset(::eventfd(0, EFD_CLOEXEC));
    has_ended_ = false;
    auto thread = start_thread([this] {
        ended_ = run_group_to_end({.arguments = arguments_}, pace_.timeout, stop_.get());
        has_ended_ = true;
    });
    if (thread) {
        run_ = std::move(*thread);
    } else {
        failure_ = thread.error().detail;
    }
}

void RepeatedCommand::end() {
    if (run_.joinable()) {
        static_cast<void>(::eventfd_write(stop_.get(), 1));
        run_.join();
    }
}

}  // namespace vpnha::adapters
