// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of accounts: RADIUS's accounting servers, and the counters of this node's devices.
#pragma once

#include <memory>

#include "config/config.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/backend.hpp"
#include "services/accounting/backend/accounting_client.hpp"
#include "services/accounting/backend/traffic_reader.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::runtime {

class Accounting final : public ports::Backend {
  public:
    // `loop` must outlive it. Without a gateway with accounting there is no client, but idle
    // time-outs still need counters. Errors are those of the servers' addresses and secrets.
    [[nodiscard]] static Result<std::unique_ptr<Accounting>> open(const config::Config& config,
                                                                  adapters::QbLoop& loop,
                                                                  const Notify& notify);

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;

  private:
    Accounting(std::unique_ptr<adapters::AccountingClient> client, adapters::QbLoop& loop,
               const Notify& notify);
    void carry_out(node::SendAccounting& work);
    void carry_out(const node::ReadTraffic& work) { traffic_.read(work); }

    std::unique_ptr<adapters::AccountingClient> client_;  // nullptr: no gateway has accounting.
    adapters::TrafficReader traffic_;
};

}  // namespace vpnha::runtime
