// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/keeper/lost_children.hpp"

#include <algorithm>

namespace vpnha::keepers {

namespace {

using ipsec::ChildSa;
using ipsec::IkeKey;
using ipsec::IkeSa;
using ipsec::SaSet;

struct Kernel {
    std::set<std::uint32_t> children;  // With an ESP SA in at least one direction.
    std::set<IpAddress> unknown;       // Peers of ESP SAs that no record describes.
};

Kernel kernel_of(LostChildren::Listed listed, const SaSet& sas) {
    std::map<std::uint32_t, std::vector<std::uint32_t>> by_out;
    for (const auto& [spi, child] : sas.children()) {
        by_out[child.spi_out].push_back(spi);
    }
    Kernel kernel;
    for (const ipsec::SaCounters& each : listed) {
        const auto out = by_out.find(each.id.spi);
        const bool is_in = sas.find_child(each.id.spi) != nullptr;
        if (is_in) {
            kernel.children.insert(each.id.spi);
        }
        if (out != by_out.end()) {
            kernel.children.insert(out->second.begin(), out->second.end());
        }
        if (!is_in && out == by_out.end()) {
            kernel.unknown.insert({each.id.source, each.id.destination});
        }
    }
    return kernel;
}

std::vector<std::uint32_t> owned_by(const SaSet& sas, const IkeKey& key) {
    std::vector<std::uint32_t> children = sas.children_of(key);
    std::erase_if(children, [&](std::uint32_t spi) { return sas.find_child(spi)->owner != key; });
    return children;
}

}  // namespace

void LostChildren::begin(const SaSet& sas) {
    clear();
    for (const auto& [key, sa] : sas.ikes()) {
        if (!sa.childless || !owned_by(sas, key).empty()) {
            unjudged_.try_emplace(key);
        }
    }
    for (const auto& [spi, child] : sas.children()) {
        known_.insert(spi);
    }
}

void LostChildren::clear() {
    unjudged_.clear();
    known_.clear();
    judge_at_.reset();
}

void LostChildren::on_repeated(const IkeKey& key, TimePoint now) {
    if (const auto found = unjudged_.find(key); found != unjudged_.end()) {
        found->second = now + kRepeatPause;
    }
}

std::vector<LostChildren::Ended> LostChildren::judge(Listed listed, const SaSet& sas,
                                                     const OpenExchanges& open, TimePoint at) {
    std::vector<Ended> ended;
    if (unjudged_.empty() || !judge_at_ || at < *judge_at_) {
        return ended;
    }
    const Kernel kernel = kernel_of(listed, sas);
    const auto lives = [&](std::uint32_t spi) {
        return has_come(spi) || kernel.children.contains(spi);
    };
    const auto has_child = [&](const IkeKey& key) {
        return std::ranges::any_of(owned_by(sas, key), lives);
    };
    const auto may_have_child = [&](const IkeSa& sa) {
        const auto peer = ipsec::parse_host(ipsec::peer_of(sa).remote);
        return !peer || kernel.unknown.contains(peer->address) || has_child(sa.id.key) ||
               (sa.id.key.version == 1 && std::ranges::any_of(sas.same_peer(sa.id.key), has_child));
    };
    std::erase_if(unjudged_, [&](const auto& each) {
        const auto& [key, not_before] = each;
        const IkeSa* const sa = sas.find(key);
        if (sa == nullptr || sa->dead || sa->heir || may_have_child(*sa)) {
            return true;
        }
        if (open.contains(key) || at < not_before) {
            return false;
        }
        ended.push_back({key, owned_by(sas, key).size()});
        return true;
    });
    return ended;
}

}  // namespace vpnha::keepers
