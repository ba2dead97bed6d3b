// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/radius/accounting_client.hpp"

#include <signal.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/netlink/device_traffic.hpp"
#include "adapters/os/log.hpp"
#include "adapters/os/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

std::uint64_t unix_ms_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

struct AccountingClient::Mailbox {
    struct Reading {
        std::uint64_t ticket = 0;
        std::uint64_t unix_ms = 0;
        Result<std::vector<node::DeviceTraffic>> devices;
    };
    struct Answer {
        GatewayId gateway;
        std::variant<node::AccountingAnswered, Reading> what;
    };

    Mailbox(AccountingServers given, UniqueFd ready_fd, UniqueFd end_fd)
        : servers(std::move(given)), ready(std::move(ready_fd)), end(std::move(end_fd)) {}

    template <class Work>
    void put(std::deque<Work>& queue, Work work) {
        {
            const std::lock_guard lock(mutex);
            queue.push_back(std::move(work));
        }
        wanted.notify_all();
    }
    // Waits for the next one; nullopt: it is the end.
    template <class Work>
    std::optional<Work> take(std::deque<Work>& queue) {
        std::unique_lock lock(mutex);
        wanted.wait(lock, [&] { return ending || !queue.empty(); });
        if (ending) {
            return std::nullopt;
        }
        std::optional<Work> work = std::move(queue.front());
        queue.pop_front();
        return work;
    }
    void tell(Answer answer) {
        const std::lock_guard lock(mutex);
        answers.push_back(std::move(answer));
        ::eventfd_write(ready.get(), 1);
    }

    AccountingServers servers;  // The sending thread's alone.
    UniqueFd ready;             // Readable when there are answers.
    UniqueFd end;               // Readable when `ending`: for who waits in poll.
    std::mutex mutex;           // Of all below.
    std::condition_variable wanted;
    bool ending = false;
    std::deque<node::SendAccounting> requests;
    std::deque<node::ReadTraffic> readings;
    std::deque<Answer> answers;
};

Result<std::unique_ptr<AccountingClient>> AccountingClient::start(QbLoop& loop,
                                                                  AccountingServers servers,
                                                                  Tell tell) {
    UniqueFd ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    UniqueFd end(::eventfd(0, EFD_CLOEXEC));
    if (!ready || !end) {
        return tl::unexpected(system_error("eventfd", errno));
    }
    const int fd = ready.get();
    auto mailbox = std::make_unique<Mailbox>(std::move(servers), std::move(ready), std::move(end));
    Mailbox& shared = *mailbox;
    std::unique_ptr<AccountingClient> client(
        new AccountingClient(loop, std::move(mailbox), std::move(tell)));
    VPNHA_CHECK(loop.watch(fd, [raw = client.get()] { raw->tell_answers(); }));
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    // The threads inherit the mask: signals are the loop's.
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    Result<void> begun;
    try {
        client->sender_ = std::thread([&shared] { send(shared); });
        client->reader_ = std::thread([&shared] { read(shared); });
    } catch (const std::system_error& error) {
        begun = fail(Errc::system, std::string("starting a thread: ") + error.what());
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    VPNHA_CHECK(begun);
    return client;
}

AccountingClient::AccountingClient(QbLoop& loop, std::unique_ptr<Mailbox> mailbox, Tell tell)
    : loop_(loop), mailbox_(std::move(mailbox)), tell_(std::move(tell)) {}

AccountingClient::~AccountingClient() {
    loop_.unwatch(mailbox_->ready.get());
    {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->ending = true;
    }
    mailbox_->wanted.notify_all();
    ::eventfd_write(mailbox_->end.get(), 1);
    // One may never have begun.
    for (std::thread* thread : {&sender_, &reader_}) {
        if (thread->joinable()) {
            thread->join();
        }
    }
}

void AccountingClient::execute(node::AccountingWork work) {
    if (auto* request = std::get_if<node::SendAccounting>(&work)) {
        mailbox_->put(mailbox_->requests, std::move(*request));
    } else {
        mailbox_->put(mailbox_->readings, std::get<node::ReadTraffic>(work));
    }
}

void AccountingClient::send(Mailbox& mailbox) {
    while (const auto next = mailbox.take(mailbox.requests)) {
        AccountingServers::Answer answer = mailbox.servers.ask(next->request, mailbox.end.get());
        mailbox.tell({next->gateway, node::AccountingAnswered{next->ticket, answer.result,
                                                              std::move(answer.server)}});
    }
}

void AccountingClient::read(Mailbox& mailbox) {
    while (const auto next = mailbox.take(mailbox.readings)) {
        auto devices = read_device_traffic();
        mailbox.tell(
            {next->gateway, Mailbox::Reading{next->ticket, unix_ms_now(), std::move(devices)}});
    }
}

void AccountingClient::tell_answers() {
    eventfd_t ignored = 0;
    ::eventfd_read(mailbox_->ready.get(), &ignored);
    std::deque<Mailbox::Answer> answers;
    {
        const std::lock_guard lock(mailbox_->mutex);
        answers.swap(mailbox_->answers);
    }
    for (const auto& [gateway, what] : answers) {
        if (const auto* answer = std::get_if<node::AccountingAnswered>(&what)) {
            tell_(gateway, *answer);
            continue;
        }
        const auto& [ticket, unix_ms, devices] = std::get<Mailbox::Reading>(what);
        if (devices) {
            tell_(gateway, node::TrafficRead{ticket, unix_ms, *devices});
        } else {
            write_log(node::Level::warning, "accounting: " + devices.error().detail);
            tell_(gateway, node::TrafficRead{ticket, unix_ms, {}});
        }
    }
}

}  // namespace vpnha::adapters
