// SPDX-License-Identifier: GPL-2.0-or-later
// Accounting-Requests in threads of their own: servers that do not answer hold up nothing else.
// They are sent in the order in which they come; limits::kAccountsUnderWay are under way at most,
// each with an identifier and a port of its own.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "host/os/qb_loop.hpp"
#include "services/accounting/backend/accounting_servers.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::adapters {

class AccountingClient {
  public:
    // From the loop, never from within a call of this class.
    using Tell = std::function<void(GatewayId, const node::AccountingAnswered&)>;

    // `loop` must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<AccountingClient>> start(QbLoop& loop,
                                                                         AccountingServers servers,
                                                                         Tell tell);
    // Cuts requests short and joins the threads: libcrypto, which they call, does not survive the
    // process's exit beside them.
    ~AccountingClient();
    AccountingClient(const AccountingClient&) = delete;
    AccountingClient& operator=(const AccountingClient&) = delete;

    void send(node::SendAccounting request);

  private:
    struct Mailbox;

    AccountingClient(QbLoop& loop, std::unique_ptr<Mailbox> mailbox, Tell tell);
    // A thread's.
    static void send_all(Mailbox& mailbox);
    void tell_answers();

    QbLoop& loop_;
    std::unique_ptr<Mailbox> mailbox_;  // The threads' as well.
    Tell tell_;
    std::vector<std::thread> senders_;
};

}  // namespace vpnha::adapters
