// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/backend/data_path.hpp"

#include <sys/eventfd.h>

#include <cerrno>

#include "host/os/thread.hpp"
#include "protocols/pptp/backend/path_broker.hpp"
#include "protocols/pptp/backend/path_mailbox.hpp"

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

const char* const DataPath::kProgram = VPNHA_PATH_PROGRAM;

Result<std::unique_ptr<DataPath>> DataPath::start(const std::string& program,
                                                  const std::vector<Ipv4Address>& vips) {
    VPNHA_TRY(UniqueFd commands_ready, open_eventfd());
    VPNHA_TRY(UniqueFd events_ready, open_eventfd());
    auto mailbox =
        std::make_unique<PathMailbox>(std::move(commands_ready), std::move(events_ready));
    VPNHA_TRY(std::unique_ptr<PathBroker> broker, PathBroker::create(program, vips, *mailbox));
    std::unique_ptr<DataPath> path(new DataPath(std::move(mailbox), std::move(broker)));
    const auto run = [broker = path->broker_.get()] {
        become_background();
        broker->run();
    };
    VPNHA_TRY(path->thread_, start_thread(run));
    return path;
}

DataPath::DataPath(std::unique_ptr<PathMailbox> mailbox, std::unique_ptr<PathBroker> broker)
    : mailbox_(std::move(mailbox)), broker_(std::move(broker)), program_(broker_->program()) {}

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

std::optional<Error> DataPath::failure() const {
    return mailbox_->failure();
}

pid_t DataPath::program() const {
    return program_;
}

pptp::CallCounters DataPath::counters() const {
    return mailbox_->counters();
}

}  // namespace vpnha::adapters
