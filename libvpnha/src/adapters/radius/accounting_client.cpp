// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/radius/accounting_client.hpp"

#include <signal.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "adapters/netlink/device_traffic.hpp"
#include "adapters/os/log.hpp"

namespace vpnha::adapters {

namespace {

std::uint64_t unix_ms_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

struct AccountingClient::Mailbox {
    struct Answered {
        GatewayId gateway;
        node::AccountingAnswered answer;
    };

    Mailbox(AccountingServers given, UniqueFd eventfd)
        : servers(std::move(given)), ready(std::move(eventfd)) {}

    AccountingServers servers;  // The thread's alone.
    UniqueFd ready;             // Readable when there are answers.
    std::mutex mutex;           // Of all below.
    std::condition_variable wanted;
    bool ending = false;
    std::deque<node::SendAccounting> requests;
    std::deque<Answered> answers;
};

Result<std::unique_ptr<AccountingClient>> AccountingClient::start(QbLoop& loop,
                                                                  AccountingServers servers,
                                                                  Tell tell) {
    UniqueFd ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!ready) {
        return tl::unexpected(system_error("eventfd", errno));
    }
    const int fd = ready.get();
    auto mailbox = std::make_shared<Mailbox>(std::move(servers), std::move(ready));
    std::unique_ptr<AccountingClient> client(new AccountingClient(loop, mailbox, std::move(tell)));
    VPNHA_CHECK(loop.watch(fd, [raw = client.get()] { raw->tell_answers(); }));
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    // The thread inherits the mask: signals are the loop's.
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    Result<void> begun;
    try {
        std::thread([mailbox] { work(mailbox); }).detach();
    } catch (const std::system_error& error) {
        begun = fail(Errc::system, std::string("starting a thread: ") + error.what());
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    VPNHA_CHECK(begun);
    return client;
}

AccountingClient::AccountingClient(QbLoop& loop, std::shared_ptr<Mailbox> mailbox, Tell tell)
    : loop_(loop), mailbox_(std::move(mailbox)), tell_(std::move(tell)), readings_(loop) {}

AccountingClient::~AccountingClient() {
    loop_.unwatch(mailbox_->ready.get());
    {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->ending = true;
    }
    mailbox_->wanted.notify_one();
}

void AccountingClient::execute(node::AccountingWork work) {
    std::visit([this](auto& each) { execute(each); }, work);
}

void AccountingClient::execute(node::SendAccounting& send) {
    {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->requests.push_back(std::move(send));
    }
    mailbox_->wanted.notify_one();
}

void AccountingClient::execute(const node::ReadTraffic& read) {
    struct Reading {
        std::vector<node::DeviceTraffic> devices;
        std::uint64_t unix_ms = 0;
    };
    const auto reading = std::make_shared<Reading>();
    const auto run = [reading]() -> Result<void> {
        VPNHA_TRY(reading->devices, read_device_traffic());
        return {};
    };
    const auto done = [this, reading, read](const Result<void>& result) {
        if (!result) {
            write_log(node::Level::warning, "accounting: " + result.error().detail);
        }
        tell_(read.gateway, node::TrafficRead{read.ticket, unix_ms_now(), reading->devices});
    };
    if (const Result<void> begun = readings_.run(run, done); !begun) {
        // It is asked for again.
        write_log(node::Level::warning, "accounting: " + begun.error().detail);
    }
}

void AccountingClient::work(const std::shared_ptr<Mailbox>& mailbox) {
    std::unique_lock lock(mailbox->mutex);
    while (true) {
        mailbox->wanted.wait(lock, [&] { return mailbox->ending || !mailbox->requests.empty(); });
        if (mailbox->ending) {
            return;
        }
        const node::SendAccounting next = std::move(mailbox->requests.front());
        mailbox->requests.pop_front();
        lock.unlock();
        AccountingServers::Answer answer = mailbox->servers.ask(next.request);
        lock.lock();
        mailbox->answers.push_back(
            {next.gateway, {next.ticket, answer.result, std::move(answer.server)}});
        ::eventfd_write(mailbox->ready.get(), 1);
    }
}

void AccountingClient::tell_answers() {
    eventfd_t ignored = 0;
    ::eventfd_read(mailbox_->ready.get(), &ignored);
    std::deque<Mailbox::Answered> answers;
    {
        const std::lock_guard lock(mailbox_->mutex);
        answers.swap(mailbox_->answers);
    }
    for (const Mailbox::Answered& each : answers) {
        tell_(each.gateway, each.answer);
    }
}

}  // namespace vpnha::adapters
