// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/accounting_client.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/burst.hpp"
#include "base/limits.hpp"
#include "host/os/thread.hpp"
#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

struct AccountingClient::Mailbox {
    struct Answer {
        GatewayId gateway;
        node::AccountingAnswered what;
    };

    Mailbox(AccountingServers given, UniqueFd ready_fd, UniqueFd end_fd)
        : servers(std::move(given)), ready(std::move(ready_fd)), end(std::move(end_fd)) {}

    void put(node::SendAccounting request) {
        {
            const std::lock_guard lock(mutex);
            requests.push_back(std::move(request));
        }
        wanted.notify_one();
    }
    struct Next {
        node::SendAccounting request;
        std::uint8_t identifier = 0;
    };
    // Waits for the next one that may be sent; nullopt: the client ends.
    std::optional<Next> take() {
        std::unique_lock lock(mutex);
        while (!ending) {
            const TimePoint now = QbLoop::now();
            std::optional<TimePoint> due;
            for (auto each = requests.begin(); each != requests.end(); ++each) {
                if (pace_of(each->gateway).take(now)) {
                    std::optional<Next> next = Next{std::move(*each), ++last_identifier};
                    requests.erase(each);
                    if (!requests.empty()) {
                        wanted.notify_one();  // This thread waits for them no more.
                    }
                    return next;
                }
                due = earliest(due, pace_of(each->gateway).next());
            }
            if (due) {
                wanted.wait_for(lock, *due - now);
            } else {
                wanted.wait(lock);
            }
        }
        return std::nullopt;
    }
    // With the mutex.
    Burst& pace_of(GatewayId gateway) {
        return paces.try_emplace(gateway, Burst::per_second(servers.per_second())).first->second;
    }
    void notify(Answer answer) {
        const std::lock_guard lock(mutex);
        answers.push_back(std::move(answer));
        ::eventfd_write(ready.get(), 1);
    }

    const AccountingServers servers;
    UniqueFd ready;    // Readable when there are answers.
    UniqueFd end;      // Readable when `ending`: for threads that wait in poll.
    std::mutex mutex;  // Protects all members below.
    std::condition_variable wanted;
    bool ending = false;
    std::deque<node::SendAccounting> requests;
    std::map<GatewayId, Burst> paces;
    std::deque<Answer> answers;
    std::uint8_t last_identifier = 0;
};

Result<std::unique_ptr<AccountingClient>> AccountingClient::start(QbLoop& loop,
                                                                  AccountingServers servers,
                                                                  Notify notify) {
    UniqueFd ready(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    UniqueFd end(::eventfd(0, EFD_CLOEXEC));
    if (!ready || !end) {
        return tl::unexpected(system_error("eventfd", errno));
    }
    const int fd = ready.get();
    auto mailbox = std::make_unique<Mailbox>(std::move(servers), std::move(ready), std::move(end));
    Mailbox& shared = *mailbox;
    std::unique_ptr<AccountingClient> client(
        new AccountingClient(loop, std::move(mailbox), std::move(notify)));
    VPNHA_CHECK(loop.watch(fd, [raw = client.get()] { raw->report_answers(); }));
    for (std::size_t i = 0; i < limits::kAccountsUnderWay; ++i) {
        VPNHA_TRY(std::thread sender, start_thread([&shared] { send_all(shared); }));
        client->senders_.push_back(std::move(sender));
    }
    return client;
}

AccountingClient::AccountingClient(QbLoop& loop, std::unique_ptr<Mailbox> mailbox, Notify notify)
    : loop_(loop), mailbox_(std::move(mailbox)), notify_(std::move(notify)) {}

AccountingClient::~AccountingClient() {
    loop_.unwatch(mailbox_->ready.get());
    {
        const std::lock_guard lock(mailbox_->mutex);
        mailbox_->ending = true;
    }
    mailbox_->wanted.notify_all();
    ::eventfd_write(mailbox_->end.get(), 1);
    for (std::thread& sender : senders_) {
        sender.join();
    }
}

void AccountingClient::send(node::SendAccounting request) {
    mailbox_->put(std::move(request));
}

void AccountingClient::send_all(Mailbox& mailbox) {
    while (const auto next = mailbox.take()) {
        const auto& [request, identifier] = *next;
        AccountingServers::Answer answer =
            mailbox.servers.ask(request.request, identifier, mailbox.end.get());
        mailbox.notify(
            {request.gateway, node::AccountingAnswered{request.ticket, answer.result,
                                                       std::move(answer.server), answer.took}});
    }
}

void AccountingClient::report_answers() {
    eventfd_t ignored = 0;
    ::eventfd_read(mailbox_->ready.get(), &ignored);
    std::deque<Mailbox::Answer> answers;
    {
        const std::lock_guard lock(mailbox_->mutex);
        answers.swap(mailbox_->answers);
    }
    for (const auto& [gateway, what] : answers) {
        notify_(gateway, what);
    }
}

}  // namespace vpnha::adapters
