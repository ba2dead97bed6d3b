// SPDX-License-Identifier: GPL-2.0-or-later
// RADIUS accounting, as its server sees it.
#include "sim/oracle.hpp"

namespace vpnha::sim {

using AccountKind = node::AccountingRequest::Kind;

void Oracle::on_account(const Machine& machine, const node::SendAccounting& sent) {
    const node::AccountingRequest& request = sent.request;
    Account& account = accounts_[request.session];
    if (account.peer && *account.peer != request.peer) {
        fail("accounts", machine.id(),
             fmt::format("accounts for two sessions as {}", request.session));
    }
    account.peer = request.peer;
    if (request.kind != AccountKind::start && !account.is_started) {
        fail(
            "accounts", machine.id(),
            fmt::format("sends more of {}, of which no server has had the Start", request.session));
    }
    if (account.closed_in == machine.gateway(sent.gateway)->replica().epoch()) {
        fail("accounts", machine.id(),
             fmt::format("had the answer to the Stop of {}, and sends another request",
                         request.session));
    }
}

void Oracle::on_account_taken(const node::SendAccounting& sent) {
    Account& account = accounts_[sent.request.session];
    account.is_started = account.is_started || sent.request.kind == AccountKind::start;
    if (sent.request.kind == AccountKind::stop) {
        ++(account.is_stopped ? tally_.stops_again : tally_.stops);
        account.is_stopped = true;
    }
}

void Oracle::on_account_answered(const Machine& machine, const node::SendAccounting& sent,
                                 const Epoch& sent_in) {
    // In another epoch a node goes by the replica, and heeds no answer of before.
    const node::GatewayNode* const gateway = machine.gateway(sent.gateway);
    if (sent.request.kind == AccountKind::stop && gateway->replica().promoted() &&
        gateway->replica().epoch() == sent_in) {
        accounts_.at(sent.request.session).closed_in = gateway->replica().epoch();
    }
}

}  // namespace vpnha::sim
