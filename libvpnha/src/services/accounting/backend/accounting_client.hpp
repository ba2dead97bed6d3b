// SPDX-License-Identifier: GPL-2.0-or-later
// Sends Accounting-Requests in threads: servers that do not answer block nothing else. Requests are
// sent in the order of their arrival. At most limits::kAccountsUnderWay are under way, each with
// its own identifier and port.
//
// The keeper paces them (account_queue.hpp). On a busy node the threads may run late: what has
// piled up leaves at the same pace, each gateway's for itself.
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
    // Called from the loop, never from within a call of this class.
    using Notify = std::function<void(GatewayId, const node::AccountingAnswered&)>;

    // `loop` must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<AccountingClient>> start(QbLoop& loop,
                                                                         AccountingServers servers,
                                                                         Notify notify);
    // Aborts requests and joins the threads: they call libcrypto, which must not run during the
    // process's exit.
    ~AccountingClient();
    AccountingClient(const AccountingClient&) = delete;
    AccountingClient& operator=(const AccountingClient&) = delete;

    void send(node::SendAccounting request);

  private:
    struct Mailbox;

    AccountingClient(QbLoop& loop, std::unique_ptr<Mailbox> mailbox, Notify notify);
    // Runs in a thread.
    static void send_all(Mailbox& mailbox);
    void report_answers();

    QbLoop& loop_;
    std::unique_ptr<Mailbox> mailbox_;  // Shared with the threads.
    Notify notify_;
    std::vector<std::thread> senders_;
};

}  // namespace vpnha::adapters
