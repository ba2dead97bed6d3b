// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/pptp/data_path.hpp"

#include <sys/eventfd.h>

#include <cerrno>

#include "adapters/os/background.hpp"
#include "adapters/os/thread.hpp"
#include "adapters/pptp/path_mailbox.hpp"
#include "adapters/pptp/path_worker.hpp"

namespace vpnha::adapters {

namespace {

Result<UniqueFd> open_eventfd() {
    UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd) {
        return tl::unexpected(system_error("eventfd", errno));
    }
    return fd;
}

}  // namespace

Result<std::unique_ptr<DataPath>> DataPath::start(const std::vector<Ipv4Address>& vips) {
    VPNHA_TRY(UniqueFd commands_ready, open_eventfd());
    VPNHA_TRY(UniqueFd events_ready, open_eventfd());
    auto mailbox =
        std::make_unique<PathMailbox>(std::move(commands_ready), std::move(events_ready));
    VPNHA_TRY(std::unique_ptr<PathWorker> worker, PathWorker::create(vips, *mailbox));
    std::unique_ptr<DataPath> path(new DataPath(std::move(mailbox), std::move(worker)));
    const auto run = [worker = path->worker_.get()] {
        become_background();
        worker->run();
    };
    VPNHA_TRY(path->thread_, start_thread(run));
    return path;
}

DataPath::DataPath(std::unique_ptr<PathMailbox> mailbox, std::unique_ptr<PathWorker> worker)
    : mailbox_(std::move(mailbox)), worker_(std::move(worker)) {}

DataPath::~DataPath() {
    mailbox_->stop();
    if (thread_.joinable()) {  // It may never have begun.
        thread_.join();
    }
}

void DataPath::post(Command command) {
    mailbox_->post(std::move(command));
}

int DataPath::events_fd() const {
    return mailbox_->events_fd();
}

std::vector<DataPath::Event> DataPath::take_events() {
    return mailbox_->take_events();
}

pptp::CallCounters DataPath::counters() const {
    return mailbox_->counters();
}

}  // namespace vpnha::adapters
