// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/keeper/peer_ledger.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace vpnha::keepers {

namespace {

// A counter that went back belongs to a peer that was added anew.
std::uint64_t passed(std::uint64_t before, std::uint64_t after) {
    return after >= before ? after - before : after;
}

}  // namespace

void PeerLedger::follow(const Key& key, const Traffic& total, TimePoint now) {
    Account& account = accounts_[key];
    if (account.total != total) {
        account.total = total;
        account.active_at = now;
    }
    account.reported = total;
}

PeerLedger::News PeerLedger::read(const Key& key, const Traffic& kernel,
                                  std::optional<std::uint64_t> served_unix_ms, TimePoint now) {
    Account& account = accounts_[key];
    const Traffic before = std::exchange(account.kernel, kernel);
    const std::uint64_t in = passed(before.octets_in, kernel.octets_in);
    const std::uint64_t out = passed(before.octets_out, kernel.octets_out);
    const bool shook_hands = kernel.last_handshake_unix_ms > before.last_handshake_unix_ms;
    if (served_unix_ms && (in != 0 || out != 0 || shook_hands)) {
        account.total.octets_in += in;
        account.total.octets_out += out;
        if (shook_hands) {
            account.total.last_handshake_unix_ms = *served_unix_ms;
        }
        account.active_at = now;
        changed_.insert(key);
    }
    return {.sent = out != 0, .received = in != 0 || shook_hands};
}

void PeerLedger::restart(const Key& key) {
    if (const auto found = accounts_.find(key); found != accounts_.end()) {
        found->second.kernel = {};
    }
}

void PeerLedger::forget(const Key& key) {
    accounts_.erase(key);
    changed_.erase(key);
}

PeerLedger::Traffic PeerLedger::total(const Key& key) const {
    const auto found = accounts_.find(key);
    return found == accounts_.end() ? Traffic{} : found->second.total;
}

bool PeerLedger::has_keys(const Key& key) const {
    const auto found = accounts_.find(key);
    return found != accounts_.end() && found->second.kernel.last_handshake_unix_ms != 0;
}

vpnha::Traffic PeerLedger::take_passed(const Key& key) {
    const auto found = accounts_.find(key);
    if (found == accounts_.end()) {
        return {};
    }
    const Traffic& total = found->second.total;
    const Traffic before = std::exchange(found->second.reported, total);
    return {.octets_in = total.octets_in - before.octets_in,
            .octets_out = total.octets_out - before.octets_out};
}

std::size_t PeerLedger::count_since(std::uint64_t unix_ms) const {
    return static_cast<std::size_t>(std::ranges::count_if(accounts_, [unix_ms](const auto& each) {
        return each.second.total.last_handshake_unix_ms >= unix_ms;
    }));
}

std::vector<PeerLedger::Key> PeerLedger::take_changed(std::size_t max) {
    const auto end =
        std::next(changed_.begin(), static_cast<std::ptrdiff_t>(std::min(max, changed_.size())));
    std::vector<Key> keys(changed_.begin(), end);
    changed_.erase(changed_.begin(), end);
    return keys;
}

void PeerLedger::sort(std::vector<Key>& keys) const {
    using Rank = std::tuple<TimePoint, std::uint64_t>;
    std::vector<std::pair<Rank, Key>> ranked;
    ranked.reserve(keys.size());
    for (const Key& key : keys) {
        const auto found = accounts_.find(key);
        ranked.emplace_back(
            found == accounts_.end()
                ? Rank{}
                : Rank{found->second.active_at, found->second.total.last_handshake_unix_ms},
            key);
    }
    std::ranges::stable_sort(ranked, std::ranges::greater{},
                             [](const auto& each) { return each.first; });
    std::ranges::transform(ranked, keys.begin(), [](const auto& each) { return each.second; });
}

}  // namespace vpnha::keepers
