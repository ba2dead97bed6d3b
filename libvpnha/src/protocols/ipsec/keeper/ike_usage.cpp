// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/keeper/ike_usage.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::keepers {

namespace {

using ipsec::IkeKey;
using ipsec::IkeSa;

// Every second listing is read: somewhat less than the pause, because listings are not punctual.
constexpr Duration kReadPause = limits::kTrafficPause - limits::kSaListingPause / 2;

wire::RecordKey record_of_ike(const IkeKey& key) {
    return {wire::RecordType::ike_sa, wire::RecordId(ipsec::encode_key(key))};
}

Traffic traffic_of(const EspNumbers::Pair& pair) {
    return {pair.in.octets, pair.out.octets, pair.in.packets, pair.out.packets};
}

Usage usage_of(const IkeSa& sa, const ipsec::IkePeer& peer, const Traffic& passed) {
    Usage usage;
    usage.session = record_of_ike(sa.id.key);
    usage.user = ipsec::identity_name(peer.eap_id);
    usage.user.resize(std::min(usage.user.size(), limits::kRadiusTextBytesMax));
    for (const Bytes& vip : peer.vips) {
        if (const auto host = ipsec::parse_host(vip)) {
            usage.address = usage.address ? usage.address : host->address.v4();
            usage.address6 = usage.address6 ? usage.address6 : host->address.v6();
        }
    }
    if (const auto remote = ipsec::parse_host(peer.remote)) {
        usage.peer = remote->address;
    }
    usage.passed = passed;
    if (const auto before = ipsec::predecessor_of(sa)) {
        usage.replaces = record_of_ike(*before);
    }
    usage.began_unix_ms = sa.established_unix_ms;
    return usage;
}

}  // namespace

void IkeUsage::begin(TimePoint now) {
    if (on_) {
        is_first_ = true;
        is_all_due_ = true;
        // Not within the takeover: that has to be short.
        notify_at_ = now + limits::kTrafficPause;
    }
}

void IkeUsage::stop() {
    noted_.clear();
    over_.clear();
    ends_.clear();
    passed_.clear();
    is_all_due_ = false;
    notify_at_.reset();
}

void IkeUsage::forget() {
    stop();
    seen_.clear();
}

void IkeUsage::note(const ipsec::SaChanges& changes, const ipsec::SaSet& sas) {
    if (!on_) {
        return;
    }
    for (const IkeKey& key : changes.ikes) {
        const wire::RecordKey record = record_of_ike(key);
        const replica::StoredRecord* const stored = gateway_.replica().store().find(record);
        if (sas.find(key) != nullptr) {
            noted_.insert(key);
        } else if (stored != nullptr) {
            const auto was = ipsec::parse_ike_sa(record.id.view(), stored->payload);
            if (was && !was->heir) {
                over_.insert(key);
            }
        }
    }
}

void IkeUsage::expect_end(const IkeKey& key, EndCause cause) {
    if (on_) {
        ends_[key] = cause;
    }
}

void IkeUsage::read(const EspNumbers::Pairs& pairs, const ipsec::SaSet& sas, TimePoint now) {
    if (!on_ || (is_promoted() && !is_first_ && read_at_ && now < *read_at_ + kReadPause)) {
        return;
    }
    read_at_ = now;
    std::map<std::uint32_t, Traffic> seen;
    for (const auto& [spi, pair] : pairs) {
        const Traffic total = traffic_of(pair);
        const auto before = seen_.find(spi);
        seen[spi] = total;
        const Traffic passed = before != seen_.end() ? passed_between(before->second, total)
                               : is_first_           ? Traffic{}
                                                     : total;
        if (is_promoted() && passed != Traffic{}) {
            passed_[sas.find_child(spi)->owner] += passed;
            notify_at_ = notify_at_.value_or(now);
        }
    }
    seen_ = std::move(seen);
    is_first_ = is_first_ && !is_promoted();
}

void IkeUsage::notify(const IkeSa& sa, const ipsec::SaSet& sas, const Traffic& passed,
                      TimePoint now, Effects& effects) const {
    const IkeKey& key = sa.id.key;
    if (key.version != 2 || sa.dead || sa.heir ||
        gateway_.replica().store().find(record_of_ike(key)) == nullptr ||
        ipsec::has_tunnels(sas, key, tunnel_port_)) {
        return;
    }
    const ipsec::IkePeer peer = ipsec::peer_of(sa);
    const Usage usage = usage_of(sa, peer, passed);
    // charon reports a virtual address after the rest, or there is none.
    const bool continues = passed != Traffic{} || usage.replaces;
    if (!peer.vips.empty() || (peer.eap_id != peer.remote_id && continues)) {
        gateway_.report_usage(usage, now, effects);
    }
}

Traffic IkeUsage::take(const IkeKey& key) {
    const auto found = passed_.extract(key);
    return found ? found.mapped() : Traffic{};
}

void IkeUsage::report_noted(const ipsec::SaSet& sas, TimePoint now, Effects& effects) {
    for (const IkeKey& key : std::exchange(noted_, {})) {
        const IkeSa* const sa = sas.find(key);
        if (sa != nullptr && !sa->heir) {
            Traffic passed = take(key);
            if (const auto before = ipsec::predecessor_of(*sa)) {
                passed += take(*before);
            }
            notify(*sa, sas, passed, now, effects);
        }
    }
    // After its heir, which has the account then.
    for (const IkeKey& key : std::exchange(over_, {})) {
        const auto expected = ends_.extract(key);
        (void)take(key);
        gateway_.report_end(record_of_ike(key),
                            expected ? expected.mapped() : EndCause::user_request, now);
    }
}

void IkeUsage::follow(const ipsec::SaSet& sas, TimePoint now, Effects& effects) {
    if (!is_promoted()) {
        return;
    }
    report_noted(sas, now, effects);
    if (!notify_at_ || now < *notify_at_) {
        return;
    }
    notify_at_.reset();
    if (std::exchange(is_all_due_, false)) {
        for (const auto& [key, sa] : sas.ikes()) {
            passed_.try_emplace(key);
        }
    }
    for (std::size_t i = 0; i < limits::kAccountsPerTurn && !passed_.empty(); ++i) {
        const IkeKey key = passed_.begin()->first;
        const Traffic passed = take(key);
        if (const IkeSa* const sa = sas.find(key)) {
            notify(*sa, sas, passed, now, effects);
        }
    }
    if (!passed_.empty()) {
        notify_at_ = now + limits::kAccountTurn;
    }
}

}  // namespace vpnha::keepers
