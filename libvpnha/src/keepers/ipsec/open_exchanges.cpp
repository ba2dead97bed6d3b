// SPDX-License-Identifier: GPL-2.0-or-later
#include "keepers/ipsec/open_exchanges.hpp"

#include <utility>

namespace vpnha::keepers {

void OpenExchanges::on_taken_up(const ipsec::IkeKey& key, std::uint32_t expected, TimePoint now) {
    taken_up_[key] = {now, expected, {}};
}

void OpenExchanges::on_child(const ipsec::IkeKey& maker, std::uint32_t spi) {
    if (const auto found = taken_up_.find(maker); found != taken_up_.end()) {
        found->second.children.insert(spi);
    }
}

void OpenExchanges::begin(TimePoint now) {
    std::erase_if(taken_up_, [now](const auto& each) { return each.second.at + kAge < now; });
}

std::optional<std::set<std::uint32_t>> OpenExchanges::on_request(const ipsec::IkePacket& request,
                                                                 std::uint32_t expected) {
    const auto found = taken_up_.find(request.key);
    if (found == taken_up_.end()) {
        return std::nullopt;
    }
    // charon has gone on, or the client has: it was answered.
    const bool is_over = found->second.expected != expected || request.mid == expected;
    if (!is_over && request.mid + 1 != expected) {
        return std::nullopt;
    }
    const TakenUp taken_up = std::move(found->second);
    taken_up_.erase(found);
    if (is_over) {
        return std::nullopt;
    }
    // A request that makes none may have come right behind one that did.
    return request.makes_child ? taken_up.children : std::set<std::uint32_t>{};
}

}  // namespace vpnha::keepers
