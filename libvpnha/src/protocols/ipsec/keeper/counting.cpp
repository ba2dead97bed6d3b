// SPDX-License-Identifier: GPL-2.0-or-later
// The sequence numbers of the kernel's ESP SAs: read where this node serves, set where it does not,
// or is about to.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/limits.hpp"
#include "protocols/ipsec/keeper/ipsec_sas.hpp"
#include "protocols/ipsec/work.hpp"

namespace vpnha::keepers {

namespace {

// Each takes a log line; a thousand at once would delay the lease.
constexpr std::size_t kEndsLogged = 20;

wire::RecordKey numbers_record(std::uint32_t spi) {
    return {wire::RecordType::esp_counters, wire::RecordId(ipsec::encode_spi(spi))};
}

wire::RecordKey numbered_record(std::uint32_t spi) {
    return {wire::RecordType::child_sa, wire::RecordId(ipsec::encode_spi(spi))};
}

}  // namespace

Epoch IpsecSas::emitted_in(std::uint32_t child) const {
    const replica::StoredRecord* stored = replica().store().find(numbers_record(child));
    if (stored == nullptr) {
        stored = replica().store().find(numbered_record(child));
    }
    return stored == nullptr ? Epoch{} : stored->version.epoch;
}

void IpsecSas::warm(const Margin& margin, TimePoint now, Effects& effects) {
    warming_ = Warming{.exact = margin.run_on == Duration{}};
    to_set_.clear();
    numbers_.rise(
        sas(), margin, [this](std::uint32_t spi) { return emitted_in(spi); }, now);
    const auto& children = image_.sas().children;
    const bool all_there = std::ranges::all_of(
        children, [this](const auto& each) { return numbers_.is_there(each.first); });
    if (all_there) {
        continue_warming(effects);
    } else {
        list(now, effects);
        warming_->listing = listing_->ticket;
    }
}

// An SA that is not there yet is set as soon as it appears.
void IpsecSas::continue_warming(Effects& effects) {
    warming_->setting = 0;
    node::SetCounters wanted{gateway_.id(), {}, 0, warming_->exact};
    std::set<std::uint32_t> children;
    for (const auto& [spi, child] : sas().children()) {
        const std::size_t before = wanted.counters.size();
        const bool exact = warming_->exact || numbers_.leads_too_far(spi);
        numbers_.set(spi, exact, wanted.counters);
        wanted.exact = wanted.exact || exact;  // The gate is shut: the others are set likewise.
        if (wanted.counters.size() > before) {
            children.insert(spi);
        }
        counters_.jumps += numbers_.is_there(spi) && !warming_->exact && !warming_->again ? 1 : 0;
    }
    if (!wanted.counters.empty()) {
        wanted.ticket = ++last_ticket_;
        warming_->setting = wanted.ticket;
        setting_[wanted.ticket] = std::move(children);
        counters_.numbers_set += wanted.counters.size();
        effects.emplace_back(std::move(wanted));
    } else if (!setting_.empty()) {
        // A request that was sent to the kernel as a standby counts as set; it may be pending.
        warming_->setting = setting_.rbegin()->first;
    }
    warming_->holding = hold(all_children(), effects);
    if (warming_->setting == 0 && warming_->holding == 0) {
        warming_.reset();
    }
}

std::set<std::uint32_t> IpsecSas::all_children() const {
    std::set<std::uint32_t> all;
    for (const auto& [spi, child] : sas().children()) {
        all.insert(spi);
    }
    return all;
}

std::uint64_t IpsecSas::hold(const std::set<std::uint32_t>& children, Effects& effects) {
    const std::uint64_t ticket = last_ticket_ + 1;
    node::HoldEsp wanted{gateway_.id(), {}, true, ticket};
    for (const std::uint32_t spi : children) {
        const ipsec::ChildSa* const child = sas().find_child(spi);
        if (child != nullptr && !numbers_.is_there(spi) &&
            held_.try_emplace(spi, Held{child->spi_out, ticket}).second) {
            wanted.spis.push_back(child->spi_out);
        }
    }
    if (wanted.spis.empty()) {
        return 0;
    }
    last_ticket_ = ticket;
    effects.emplace_back(std::move(wanted));
    return ticket;
}

void IpsecSas::handle(const node::EspHeld& held, TimePoint now, Effects& effects) {
    if (!held.result) {
        emit(LogLevel::error,
             fmt::format("the gate cannot hold ESP SAs: {}", held.result.error().detail), effects);
        let_go([&](std::uint32_t, const Held& each) { return each.ticket == held.ticket; },
               effects);
    }
    if (warming_ && warming_->holding == held.ticket && held.result) {
        warming_->holding = 0;
        if (warming_->setting == 0) {
            warming_.reset();
        }
    }
    if (!feeding_ || feeding_->ticket != held.ticket) {
        return;
    }
    if (!held.result) {
        on_not_fed(held.result.error().detail, now, effects);
        return;
    }
    feeding_->ticket = ++last_ticket_;
    effects.emplace_back(
        node::FeedCharon{gateway_.id(), std::exchange(feeding_->messages, {}), feeding_->ticket});
}

void IpsecSas::let_go(const std::function<bool(std::uint32_t, const Held&)>& which,
                      Effects& effects) {
    node::HoldEsp done{gateway_.id(), {}, false, 0};
    std::erase_if(held_, [&](const auto& each) {
        const bool goes = which(each.first, each.second);
        if (goes) {
            done.spis.push_back(each.second.spi_out);
        }
        return goes;
    });
    if (!done.spis.empty()) {
        effects.emplace_back(std::move(done));
    }
}

void IpsecSas::let_right_ones_go(Effects& effects) {
    const auto is_being_set = [this](std::uint32_t spi) {
        return std::ranges::any_of(setting_,
                                   [spi](const auto& set) { return set.second.contains(spi); });
    };
    let_go(
        [&](std::uint32_t spi, const Held&) {
            return sas().find_child(spi) != nullptr && numbers_.is_right(spi) && !is_being_set(spi);
        },
        effects);
}

// Children whose record ended while charon was fed them anew. The kernel may have them, and would
// send from number 1.
void IpsecSas::let_ended_ones_go(EspNumbers::Listed listed, TimePoint at, Effects& effects) {
    if (feeding_ || at < fed_at_) {
        return;
    }
    let_go(
        [&](std::uint32_t spi, const Held& held) {
            return sas().find_child(spi) == nullptr &&
                   std::ranges::none_of(listed, [&held](const ipsec::SaCounters& each) {
                       return each.id.spi == held.spi_out;
                   });
        },
        effects);
}

void IpsecSas::read(TimePoint now, Effects& effects) {
    list(now, effects);
}

void IpsecSas::list(TimePoint now, Effects& effects) {
    // Repeats a listing that gets no answer.
    list_at_ = now + limits::kSaListingWait;
    listing_ = Listing{++last_ticket_, now};
    effects.emplace_back(node::ListSas{gateway_.id(), listing_->ticket});
}

void IpsecSas::handle(const node::SasListed& listed, TimePoint now, Effects& effects) {
    if (!listing_ || listing_->ticket != listed.ticket) {
        return;
    }
    const Listing asked = *std::exchange(listing_, std::nullopt);
    list_at_.reset();
    EspNumbers::Pairs pairs = EspNumbers::pair_up(listed.sas, sas());
    usage_.read(pairs, sas(), now);
    if (replica().promoted()) {
        leave_out_offloaded(listed.sas, now, effects);
        for (const ipsec::EspCounters& news : numbers_.news(pairs, sas(), asked.at)) {
            if (!offloaded_.contains(news.spi)) {
                publish(numbers_record(news.spi), ipsec::encode_record(news), now);
            }
        }
        read_at_ = asked.at;
        const bool waits = now < map_until_ && ipsec::misses_ports(listed.sas, sas());
        list_at_ = now + (waits ? limits::kNewChildPause : limits::kSaListingPause);
    }
    follow_peers(listed.sas, now, effects);
    map_ports(listed.sas, effects);
    end_childless(listed.sas, asked.at, effects);
    let_ended_ones_go(listed.sas, asked.at, effects);
    if (is_active_ && held_.empty()) {
        return;
    }
    numbers_.on_listed(std::move(pairs), asked.at);
    for (const auto& [spi, out] : held_) {
        if (numbers_.is_there(spi) && !numbers_.is_right(spi)) {
            to_set_.insert(spi);
        }
    }
    if (is_active_) {
        return;
    }
    if (warming_ && warming_->listing == asked.ticket) {
        continue_warming(effects);
    }
    look_for(now, effects);
}

void IpsecSas::leave_out_offloaded(EspNumbers::Listed listed, TimePoint now, Effects& effects) {
    std::set<std::uint32_t> spis;
    for (const ipsec::SaCounters& each : listed) {
        if (each.is_offloaded) {
            spis.insert(each.id.spi);
        }
    }
    ipsec::SaChanges changes;
    for (const auto& [spi, child] : sas().children()) {
        if ((spis.contains(spi) || spis.contains(child.spi_out)) && offloaded_.insert(spi).second) {
            changes.children.insert(spi);
        }
    }
    if (changes.children.empty()) {
        return;
    }
    publish(changes, now, effects);
    emit(LogLevel::error,
         fmt::format("a device encrypts {} CHILD SAs (hw_offload), which end with this node "
                     "event=esp-offloaded",
                     changes.children.size()),
         effects);
}

void IpsecSas::follow_peers(EspNumbers::Listed listed, TimePoint now, Effects& effects) {
    for (const ipsec::PeerPath& path : paths_.news(listed, sas())) {
        if (replica().promoted()) {
            publish(store_.follow(path), now, effects);
        }
    }
}

void IpsecSas::map_ports(EspNumbers::Listed listed, Effects& effects) {
    std::vector<ipsec::PortMapping> mappings = ipsec::map_ports(listed, sas());
    if (mappings != mapped_) {
        mapped_ = std::move(mappings);
        effects.emplace_back(node::MapPorts{gateway_.id(), mapped_});
    }
}

void IpsecSas::end_childless(EspNumbers::Listed listed, TimePoint at, Effects& effects) {
    if (!is_active_ || !replica().promoted()) {
        return;
    }
    node::EndIkeSas wanted{gateway_.id(), {}};
    for (const auto& [key, children] : lost_children_.judge(listed, sas(), open_exchanges_, at)) {
        wanted.sas.push_back(key);
        usage_.expect_end(key, EndCause::lost_service);
        if (wanted.sas.size() > kEndsLogged) {
            continue;
        }
        const ipsec::IkePeer peer = ipsec::peer_of(*sas().find(key));
        const auto remote = ipsec::parse_host(peer.remote);
        emit(LogLevel::warning,
             fmt::format(
                 "the IKE SA of {} at {} is ended, so that its client dials again: {}",
                 ipsec::identity_text(peer.eap_id.empty() ? peer.remote_id : peer.eap_id),
                 remote ? to_string(*remote) : "an unknown address",
                 children == 0
                     ? "it came without a CHILD SA"
                     : fmt::format("of its {} CHILD SAs none is in this node's kernel", children)),
             effects);
    }
    counters_.ended += wanted.sas.size();
    if (wanted.sas.size() > kEndsLogged) {
        emit(LogLevel::warning,
             fmt::format("{} more IKE SAs are ended for the same reasons",
                         wanted.sas.size() - kEndsLogged),
             effects);
    }
    if (!wanted.sas.empty()) {
        effects.emplace_back(std::move(wanted));
    }
}

void IpsecSas::set_numbers(Effects& effects) {
    if (to_set_.empty()) {
        return;
    }
    node::SetCounters wanted{gateway_.id(), {}, ++last_ticket_, false};
    for (const std::uint32_t spi : to_set_) {
        numbers_.set(spi, false, wanted.counters);
    }
    setting_[wanted.ticket] = std::exchange(to_set_, {});
    counters_.numbers_set += wanted.counters.size();
    effects.emplace_back(std::move(wanted));
}

void IpsecSas::handle(const node::CountersSet& set, TimePoint now, Effects& effects) {
    const auto found = setting_.find(set.ticket);
    if (found == setting_.end()) {
        return;
    }
    const std::set<std::uint32_t> children = std::move(found->second);
    setting_.erase(found);
    const bool is_warming = warming_ && warming_->setting == set.ticket;
    for (const std::uint32_t spi : children) {
        if (set.result) {
            confirm(spi, now);
        } else if (image_.has_child(spi)) {
            numbers_.lose(spi, now);
            unseen_.try_emplace(spi, now + limits::kChildSaWait);
            list_at_ = now + limits::kSaLookPause;
        }
    }
    if (!set.result) {
        emit(LogLevel::warning,
             fmt::format("the numbers of {} CHILD SAs could not be set: {}", children.size(),
                         set.result.error().detail),
             effects);
    }
    if (is_warming && !set.result && !warming_->again) {
        // An SA may have ended meanwhile. Those that are there are tried once more.
        warming_->again = true;
        list(now, effects);
        warming_->listing = listing_->ticket;
    } else if (is_warming) {
        warming_->setting = 0;
        // Children that are still not set wait for that behind the open gate.
        warming_->holding = std::max(warming_->holding, hold(all_children(), effects));
        if (warming_->holding == 0) {
            warming_.reset();
        }
    }
}

}  // namespace vpnha::keepers
