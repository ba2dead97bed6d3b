// SPDX-License-Identifier: GPL-2.0-or-later
// RADIUS accounting, as its server sees it.
#include "protocols/wireguard/model/peer_record.hpp"
#include "services/accounting/model/account_record.hpp"
#include "sim/oracle.hpp"

namespace vpnha::sim {

namespace {

constexpr std::uint64_t kSessionMs = 270'000;
// A session ends when its account's turn to be looked at has come.
constexpr std::uint64_t kNearMs = 3'000;

// So many of each session.
std::map<wire::RecordKey, int> open_accounts(const node::GatewayNode& gateway) {
    std::map<wire::RecordKey, int> open;
    for (const auto& [key, stored] :
         gateway.cores().replica.store().all(wire::RecordType::account)) {
        const auto record = keepers::parse_account(key, stored.payload);
        if (record && !record->end) {
            ++open[record->session];
        }
    }
    return open;
}

}  // namespace

using AccountKind = node::AccountingRequest::Kind;

void Oracle::on_account(const Machine& machine, const node::SendAccounting& sent) {
    const node::AccountingRequest& request = sent.request;
    Account& account = accounts_[request.session];
    const std::pair whose(request.user, request.peer);
    if (account.whose && *account.whose != whose) {
        fail("accounts", machine.id(),
             fmt::format("accounts for two sessions as {}", request.session));
    }
    account.whose = whose;
    if (request.kind != AccountKind::start && !account.is_started) {
        fail(
            "accounts", machine.id(),
            fmt::format("sends more of {}, of which no server has had the Start", request.session));
    }
    if (account.closed_in == machine.gateway(sent.gateway)->cores().replica.epoch()) {
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
    if (sent.request.kind == AccountKind::stop && gateway->cores().replica.promoted() &&
        gateway->cores().replica.epoch() == sent_in) {
        accounts_.at(sent.request.session).closed_in = gateway->cores().replica.epoch();
    }
}

void Oracle::check_peers_accounts(const Machine& holder, const node::GatewayNode& gateway) const {
    const auto& store = gateway.cores().replica.store();
    std::map<wire::RecordKey, int> open = open_accounts(gateway);
    const std::uint64_t now_ms = gateway.cores().clock.at(holder.local_now());
    for (const auto& [key, stored] : store.all(wire::RecordType::wireguard_peer)) {
        const auto* const used = store.find({wire::RecordType::wireguard_traffic, key.id});
        const auto traffic =
            used == nullptr
                ? wireguard::PeerTraffic{}
                : wireguard::parse_traffic(used->payload).value_or(wireguard::PeerTraffic{});
        const std::uint64_t age_ms = now_ms - traffic.last_handshake_unix_ms;
        const bool is_near = age_ms > kSessionMs - kNearMs && age_ms < kSessionMs + kNearMs;
        if (!is_near && open[key] != (age_ms < kSessionMs ? 1 : 0)) {
            fail("accounts", holder.id(),
                 fmt::format("has {} open accounts of a peer that shook hands {} ms ago", open[key],
                             age_ms));
        }
    }
}

void Oracle::check_ike_accounts(const Machine& holder, const node::GatewayNode& gateway) const {
    std::map<wire::RecordKey, int> open = open_accounts(gateway);
    for (const IkeClient& client : ike_clients_.all()) {
        const wire::RecordKey session{wire::RecordType::ike_sa,
                                      wire::RecordId(ipsec::encode_key(client.key()))};
        if (const int count = open[session];
            count != (client.alive && !client.inner.empty() ? 1 : 0)) {
            fail("accounts", holder.id(),
                 fmt::format("has {} open accounts of {}, which {}", count, client.sample.client,
                             !client.alive          ? "has gone"
                             : client.inner.empty() ? "has no virtual address"
                                                    : "is there"));
        }
        open.erase(session);
    }
    for (const auto& [session, count] : open) {
        if (session.type == wire::RecordType::ike_sa) {
            fail("accounts", holder.id(), "has an account of an IKE SA that was replaced");
        }
    }
}

}  // namespace vpnha::sim
