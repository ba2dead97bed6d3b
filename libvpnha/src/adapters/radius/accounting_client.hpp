// SPDX-License-Identifier: GPL-2.0-or-later
// Accounting-Requests in a thread of their own: servers that do not answer hold up nothing else.
// Requests are sent in the order in which they come, one at a time. A second thread reads the
// devices' counters, each second.
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
    using Tell = std::function<void(GatewayId, const node::AccountingEvent&)>;

    // `loop` must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<AccountingClient>> start(QbLoop& loop,
                                                                         AccountingServers servers,
                                                                         Tell tell);
    // Cuts a request short and joins both threads: libcrypto, which they call, does not survive
    // the process's exit beside them.
    ~AccountingClient();
    AccountingClient(const AccountingClient&) = delete;
    AccountingClient& operator=(const AccountingClient&) = delete;

    void execute(node::AccountingWork work);

  private:
    struct Mailbox;

    AccountingClient(QbLoop& loop, std::unique_ptr<Mailbox> mailbox, Tell tell);
    static void send(Mailbox& mailbox);
    static void read(Mailbox& mailbox);
    void tell_answers();

    QbLoop& loop_;
    std::unique_ptr<Mailbox> mailbox_;  // The threads' as well.
    Tell tell_;
    std::thread sender_;
    std::thread reader_;
};

}  // namespace vpnha::adapters
