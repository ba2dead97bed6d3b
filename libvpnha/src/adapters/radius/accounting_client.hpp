// SPDX-License-Identifier: GPL-2.0-or-later
// Accounting-Requests in a thread of their own: servers that do not answer hold up nothing else.
// They are sent in the order in which they come, one at a time.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "adapters/os/qb_loop.hpp"
#include "adapters/radius/accounting_servers.hpp"

namespace vpnha::adapters {

class AccountingClient {
  public:
    // From the loop, never from within a call of this class.
    using Tell = std::function<void(GatewayId, const node::AccountingAnswered&)>;

    // `loop` must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<AccountingClient>> start(QbLoop& loop,
                                                                         AccountingServers servers,
                                                                         Tell tell);
    // Cuts a request short and joins the thread: libcrypto, which it calls, does not survive the
    // process's exit beside it.
    ~AccountingClient();
    AccountingClient(const AccountingClient&) = delete;
    AccountingClient& operator=(const AccountingClient&) = delete;

    void send(node::SendAccounting request);

  private:
    struct Mailbox;

    AccountingClient(QbLoop& loop, std::unique_ptr<Mailbox> mailbox, Tell tell);
    static void send_all(Mailbox& mailbox);
    void tell_answers();

    QbLoop& loop_;
    std::unique_ptr<Mailbox> mailbox_;  // The thread's as well.
    Tell tell_;
    std::thread sender_;
};

}  // namespace vpnha::adapters
