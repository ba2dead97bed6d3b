// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/accounting.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::runtime {

Result<std::unique_ptr<Accounting>> Accounting::open(const config::Config& config,
                                                     adapters::QbLoop& loop, const Notify& notify) {
    std::unique_ptr<adapters::AccountingClient> client;
    if (std::ranges::any_of(config.gateways, &config::Gateway::accounting)) {
        VPNHA_TRY(auto servers, adapters::AccountingServers::open(config.radius));
        VPNHA_TRY(client, adapters::AccountingClient::start(loop, std::move(servers), notify));
    }
    return std::unique_ptr<Accounting>(new Accounting(std::move(client), loop, notify));
}

Accounting::Accounting(std::unique_ptr<adapters::AccountingClient> client, adapters::QbLoop& loop,
                       const Notify& notify)
    : client_(std::move(client)), traffic_(loop, notify) {}

bool Accounting::execute(effects::ProtocolWork& work) {
    return execute_own<node::AccountingWork>(work, [this](auto& each) { carry_out(each); });
}

void Accounting::carry_out(node::SendAccounting& work) {
    // Only the keeper of a gateway with accounting requests it.
    VPNHA_ASSERT(client_ != nullptr);
    client_->send(std::move(work));
}

}  // namespace vpnha::runtime
