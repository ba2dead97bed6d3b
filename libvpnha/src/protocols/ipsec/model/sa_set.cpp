// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/sa_set.hpp"

#include <algorithm>

namespace vpnha::ipsec {

void SaSet::tie(const IkeSa& sa) {
    if (sa.heir) {
        elders_.emplace(*sa.heir, sa.id.key);
    }
    if (const auto old = predecessor_of(sa)) {
        elders_.emplace(sa.id.key, *old);
    }
}

void SaSet::untie(const IkeSa& sa) {
    if (sa.heir) {
        elders_.erase({*sa.heir, sa.id.key});
    }
    if (const auto old = predecessor_of(sa)) {
        elders_.erase({sa.id.key, *old});
    }
}

void SaSet::put(IkeSa sa) {
    erase(sa.id.key);
    tie(sa);
    const IkeKey key = sa.id.key;
    if (Bytes peer = adoption_key(sa); !peer.empty()) {
        peers_.emplace(std::move(peer), key);
    }
    ikes_.insert_or_assign(key, std::move(sa));
}

void SaSet::put(ChildSa child) {
    erase_child(child.spi);
    offspring_.emplace(child.made, child.spi);
    offspring_.emplace(child.owner, child.spi);
    const std::uint32_t spi = child.spi;
    children_.insert_or_assign(spi, std::move(child));
}

void SaSet::erase(const IkeKey& key) {
    const auto found = ikes_.find(key);
    if (found == ikes_.end()) {
        return;
    }
    const IkeSa sa = std::move(found->second);
    ikes_.erase(found);
    untie(sa);
    peers_.erase({adoption_key(sa), key});
    // Ties of the same pair that other SAs report stay.
    if (sa.heir) {
        if (const auto heir = ikes_.find(*sa.heir); heir != ikes_.end()) {
            tie(heir->second);
        }
    }
    if (const auto old = predecessor_of(sa)) {
        if (const auto elder = ikes_.find(*old); elder != ikes_.end()) {
            tie(elder->second);
        }
    }
}

void SaSet::erase_child(std::uint32_t spi) {
    const auto found = children_.find(spi);
    if (found == children_.end()) {
        return;
    }
    offspring_.erase({found->second.made, spi});
    offspring_.erase({found->second.owner, spi});
    children_.erase(found);
}

const IkeSa* SaSet::find(const IkeKey& key) const {
    const auto found = ikes_.find(key);
    return found == ikes_.end() ? nullptr : &found->second;
}

const ChildSa* SaSet::find_child(std::uint32_t spi) const {
    const auto found = children_.find(spi);
    return found == children_.end() ? nullptr : &found->second;
}

std::vector<std::uint32_t> SaSet::children_of(const IkeKey& key) const {
    std::vector<std::uint32_t> all;
    for (auto at = offspring_.lower_bound({key, 0}); at != offspring_.end() && at->first == key;
         ++at) {
        all.push_back(at->second);
    }
    return all;
}

std::vector<IkeKey> SaSet::elders_of(const IkeKey& key) const {
    std::vector<IkeKey> all;
    for (auto at = elders_.lower_bound({key, {}}); at != elders_.end() && at->first == key; ++at) {
        all.push_back(at->second);
    }
    return all;
}

std::vector<IkeKey> SaSet::same_peer(const IkeKey& key) const {
    std::vector<IkeKey> all;
    const IkeSa* const sa = find(key);
    const Bytes peer = sa == nullptr ? Bytes() : adoption_key(*sa);
    for (auto at = peers_.lower_bound({peer, {}}); at != peers_.end() && at->first == peer; ++at) {
        if (at->second != key) {
            all.push_back(at->second);
        }
    }
    return all;
}

void SaSet::complete(Family& family) const {
    std::vector<IkeKey> fresh(family.ikes.begin(), family.ikes.end());
    const auto add = [&](const IkeKey& key) {
        if (family.ikes.insert(key).second) {
            fresh.push_back(key);
        }
    };
    while (!fresh.empty()) {
        const IkeKey key = fresh.back();
        fresh.pop_back();
        for (const IkeKey& elder : elders_of(key)) {
            add(elder);
        }
        if (const IkeSa* const sa = find(key)) {
            if (sa->heir) {
                add(*sa->heir);
            }
            if (const auto old = predecessor_of(*sa)) {
                add(*old);
            }
        }
        for (const IkeKey& other : same_peer(key)) {
            add(other);
        }
        for (const std::uint32_t spi : children_of(key)) {
            family.children.insert(spi);
            add(children_.at(spi).made);
            add(children_.at(spi).owner);
        }
    }
}

bool has_tunnels(const SaSet& sas, const IkeKey& key, std::optional<std::uint16_t> tunnel_port) {
    return tunnel_port && std::ranges::any_of(sas.children_of(key), [&](std::uint32_t spi) {
               return own_port_of(*sas.find_child(spi)) == tunnel_port;
           });
}

}  // namespace vpnha::ipsec
