// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/keeper/open_exchanges.hpp"

#include <utility>

namespace vpnha::keepers {

void OpenExchanges::on_taken_up(const ipsec::IkeKey& key, std::uint32_t expected, TimePoint now) {
    taken_up_[key] = {.at = now, .expected = expected, .children = {}};
}

void OpenExchanges::on_child(const ipsec::IkeKey& maker, std::uint32_t spi) {
    if (const auto found = taken_up_.find(maker); found != taken_up_.end()) {
        found->second.children.insert(spi);
    }
}

void OpenExchanges::begin(TimePoint now) {
    std::erase_if(taken_up_, [now](const auto& each) { return each.second.at + kAge < now; });
}

bool OpenExchanges::contains(const ipsec::IkeKey& key) const {
    const auto found = taken_up_.find(key);
    return found != taken_up_.end() && !found->second.is_repeated;
}

std::optional<OpenExchanges::Change> OpenExchanges::on_request(const ipsec::IkePacket& request,
                                                               std::uint32_t expected,
                                                               const IsUsed& is_used,
                                                               TimePoint now) {
    const auto found = taken_up_.find(request.key);
    if (found == taken_up_.end()) {
        return std::nullopt;
    }
    TakenUp& taken_up = found->second;
    const std::uint32_t last = taken_up.expected - 1;
    if (taken_up.is_repeated && expected == last) {
        if (request.mid != taken_up.expected) {
            return std::nullopt;
        }
        if (!taken_up.next_at) {
            taken_up.next_at = now;
        }
        if (now - *taken_up.next_at < kEmittedBy) {
            return std::nullopt;
        }
        taken_up.is_repeated = false;
        taken_up.next_at.reset();
        return Change{};
    }
    // charon or the client has proceeded: the request was answered.
    if (taken_up.expected != expected || request.mid == expected) {
        taken_up_.erase(found);
        return std::nullopt;
    }
    return request.mid == last ? repeat(taken_up, request.makes_child, is_used) : std::nullopt;
}

std::optional<OpenExchanges::Change> OpenExchanges::repeat(TakenUp& taken_up, bool makes_child,
                                                           const IsUsed& is_used) {
    Change change{.is_repeated = true, .children = {}};
    // A request that makes no child may have followed directly on one that did.
    if (makes_child && !taken_up.children.empty()) {
        change.children = taken_up.children;
        std::erase_if(change.children, is_used);
        if (change.children.empty()) {
            return std::nullopt;
        }
        // They are taken back once.
        taken_up.children.clear();
    }
    taken_up.is_repeated = true;
    return change;
}

}  // namespace vpnha::keepers
