// SPDX-License-Identifier: GPL-2.0-or-later
// Brings the records of IPsec SAs into this node's charon and kernel.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "protocols/ipsec/keeper/ipsec_sas.hpp"
#include "protocols/ipsec/work.hpp"

namespace vpnha::keepers {

namespace {

using ipsec::IkeKey;
using wire::RecordType;

wire::RecordKey record_of(const IkeKey& key) {
    return {RecordType::ike_sa, wire::RecordId(ipsec::encode_key(key))};
}

wire::RecordKey record_of_child(std::uint32_t spi) {
    return {RecordType::child_sa, wire::RecordId(ipsec::encode_spi(spi))};
}

wire::RecordKey record_of_counters(std::uint32_t spi) {
    return {RecordType::esp_counters, wire::RecordId(ipsec::encode_spi(spi))};
}

}  // namespace

void IpsecSas::feed(TimePoint now, Effects& effects) {
    if (feed_at_ && *feed_at_ <= now) {
        feed_at_.reset();
    }
    // A charon that is about to be passive may still report a change that a feed would undo. charon
    // 6.0.1 aborts if it turns while an SA that it is fed is half open. What it has reported
    // without a lease is in no record yet, but may be soon.
    const bool may_report_more =
        turning_ || (!unreceived_.empty() && !unreceived_.front().is_of_dead);
    if (gone_ || flushing_ || is_active_ || may_report_more || touched_.empty() || feed_at_ ||
        !gateway_.is_attached()) {
        return;
    }
    // A pass brings IKE SAs before their children: each would be a rebuild.
    if (replica().resync_reason() && !replica().promoted() && !held_back_) {
        held_back_ = true;
        feed_at_ = now + limits::kCharonFeedPause;
        return;
    }
    while (!feeding_ && !touched_.empty()) {
        std::vector<Bytes> messages;
        Feeding next = next_feed(messages, now);
        if (messages.empty()) {
            on_fed(next, now);
            continue;
        }
        next.ticket = numbers_.serves() ? hold(next.children, effects) : 0;
        if (next.ticket != 0) {
            next.messages = std::move(messages);
        } else {
            next.ticket = ++last_ticket_;
            effects.emplace_back(node::FeedCharon{gateway_.id(), std::move(messages), next.ticket});
        }
        feeding_ = std::move(next);
    }
}

IpsecSas::Feeding IpsecSas::next_feed(std::vector<Bytes>& messages, TimePoint now) {
    Feeding next;
    while (!touched_.empty() && messages.size() < limits::kCharonFeedMessages) {
        ipsec::Feed feed = image_.feed(*touched_.begin(), sas());
        for (const IkeKey& key : feed.family.ikes) {
            touched_.erase(key);
            if (const auto found = installing_.find(record_of(key)); found != installing_.end()) {
                next.installing.insert(*found);
            }
        }
        for (const std::uint32_t spi : feed.family.children) {
            const auto found = installing_.find(record_of_child(spi));
            if (found != installing_.end()) {
                next.installing.insert(*found);
            }
            numbers_.rise_late(spi, emitted_in(spi), now);
            if (feed.rebuilt) {
                numbers_.remake(spi, now);
            }
        }
        counters_.rebuilds += feed.rebuilt ? 1 : 0;
        std::ranges::move(feed.messages, std::back_inserter(messages));
        next.ikes.merge(feed.family.ikes);
        next.children.merge(feed.family.children);
    }
    return next;
}

void IpsecSas::on_fed(const Feeding& fed, TimePoint now) {
    const auto is_latest = [this](const auto& each) {
        const auto found = installing_.find(each.first);
        return found != installing_.end() && found->second == each.second;
    };
    for (const auto& each : fed.installing) {
        if (each.first.type == RecordType::ike_sa && is_latest(each)) {
            const auto key = ipsec::parse_ike_key(each.first.id.view());
            answer(each.first,
                   key && takes(*key) ? replica::Outcome::installed : replica::Outcome::refused,
                   now);
        }
    }
    bool any = false;
    for (const std::uint32_t spi : fed.children) {
        if (!image_.has_child(spi)) {
            if (!takes(spi)) {
                answer(record_of_child(spi), replica::Outcome::refused, now);
            }
            continue;  // It waits for its maker, or has ended.
        }
        if (numbers_.is_right(spi)) {
            confirm(spi, now);
        } else if (unseen_.try_emplace(spi, now + limits::kChildSaWait).second) {
            any = true;
        }
    }
    if (any) {
        list_at_ = now;
    }
}

bool IpsecSas::takes(const IkeKey& key) const {
    const ipsec::IkeSa* const sa = sas().find(key);
    return sa == nullptr || image_.takes(*sa);
}

bool IpsecSas::takes(std::uint32_t child) const {
    const ipsec::ChildSa* const found = sas().find_child(child);
    return found == nullptr || image_.takes(*found, sas());
}

void IpsecSas::handle(const node::CharonFed& fed, TimePoint now, Effects& effects) {
    if (!feeding_ || feeding_->ticket != fed.ticket) {
        return;
    }
    if (!fed.result) {
        on_not_fed(fed.result.error().detail, now, effects);
        return;
    }
    for (const std::uint32_t spi : feeding_->children) {
        numbers_.on_remade(spi, now);
    }
    fed_at_ = now;
    on_fed(*std::exchange(feeding_, std::nullopt), now);
    if (list_at_ && *list_at_ <= now) {
        list(now, effects);
    }
}

void IpsecSas::on_not_fed(const std::string& why, TimePoint now, Effects& effects) {
    const Feeding done = *std::exchange(feeding_, std::nullopt);
    fed_at_ = now;
    ++counters_.feeds_failed;
    emit(LogLevel::warning,
         fmt::format("charon may have lost some of {} IKE SAs, which are fed to it again: {}",
                     done.ikes.size(), why),
         effects);
    for (const IkeKey& key : done.ikes) {
        image_.suspect(key);
        touched_.insert(key);
    }
    feed_at_ = now + limits::kCharonFeedPause;
}

void IpsecSas::lose_charon(TimePoint now) {
    feeding_.reset();
    feed_at_.reset();
    held_back_ = false;
    is_active_ = false;
    is_left_ = false;
    turning_ = false;
    turn_again_at_.reset();
    rekey_at_.reset();
    lost_children_.on_passive();
    image_.clear();
    for (Emitted& emitted : unreceived_) {
        emitted.is_of_dead = true;
    }
    numbers_.lose_all(sas(), now);
    unseen_.clear();
    to_set_.clear();
    setting_.clear();
    for (const auto& [key, sa] : sas().ikes()) {
        replica().on_gone(record_of(key));
    }
    for (const auto& [spi, child] : sas().children()) {
        replica().on_gone(record_of_child(spi));
    }
}

void IpsecSas::handle(const node::CharonFresh& fresh, TimePoint now, Effects& effects) {
    emit(LogLevel::info,
         fmt::format("charon is there, and empty; {} IKE SAs are fed to it", sas().ikes().size()),
         effects);
    gone_ = false;
    had_charon_ = true;
    image_.set_version(fresh.version);
    lose_charon(now);
    touch_all();
    flush(effects);
    if (is_wanted_) {
        turn_by_ = now + limits::kCharonFreshPause;
    }
    install_missing(now, effects);
}

// Where this node serves, it owns the sessions of all protocols, and none may exist twice.
void IpsecSas::install_missing(TimePoint now, Effects& effects) {
    if (!replica().promoted()) {
        gateway_.install_missing(now, effects);
    }
}

void IpsecSas::flush(Effects& effects) {
    flush_at_.reset();
    flushing_ = ++last_ticket_;
    effects.emplace_back(node::FlushSas{gateway_.id(), *flushing_});
}

void IpsecSas::handle(const node::SasFlushed& flushed, TimePoint now, Effects& effects) {
    if (flushing_ != flushed.ticket) {
        return;
    }
    if (flushed.result) {
        flushing_.reset();
        numbers_.lose_all(sas(), now);  // They have sent until now.
        return;
    }
    emit(LogLevel::error,
         fmt::format("what an earlier charon left in the kernel cannot be removed, and this one is "
                     "fed nothing: {}",
                     flushed.result.error().detail),
         effects);
    flush_at_ = now + limits::kCharonFeedPause;
}

void IpsecSas::handle(const node::CharonGone&, TimePoint now, Effects& effects) {
    // Also logged at vpnhad's start, which may precede charon's.
    emit(had_charon_ ? LogLevel::error : LogLevel::info, "there is no charon", effects);
    gone_ = true;
    lose_charon(now);
    // On the node that serves, what needs no charon continues until another node serves.
    if (!numbers_.serves()) {
        flush(effects);
    }
    for (const auto& [key, ticket] : std::map(installing_)) {
        put_off(key, now);
    }
}

void IpsecSas::put_off(const wire::RecordKey& key, TimePoint now) {
    answer(key, replica::Outcome::installed, now);
    replica().on_gone(key);
}

void IpsecSas::look_for(TimePoint now, Effects& effects) {
    std::vector<std::uint32_t> lost;
    for (const auto& [spi, child] : image_.sas().children) {
        const auto unseen = unseen_.find(spi);
        const bool is_fed =
            !touched_.contains(child.made) && (!feeding_ || !feeding_->children.contains(spi));
        if (numbers_.is_right(spi)) {
            confirm(spi, now);
        } else if (numbers_.is_there(spi)) {
            to_set_.insert(spi);
        } else if (is_fed && (unseen == unseen_.end() || unseen->second <= now)) {
            lost.push_back(spi);
        }
    }
    for (const std::uint32_t spi : lost) {
        give_up(spi, now);
    }
    if (!lost.empty()) {
        counters_.children_lost += lost.size();
        emit(LogLevel::error,
             fmt::format("{} CHILD SAs are not in this node's kernel; charon is fed them again",
                         lost.size()),
             effects);
        install_missing(now, effects);
    }
    if (!image_.sas().children.empty()) {
        const Duration pause =
            unseen_.empty() ? limits::kSaAuditPause : Duration(limits::kSaLookPause);
        list_at_ = earliest(list_at_, now + pause);
    }
}

void IpsecSas::give_up(std::uint32_t spi, TimePoint now) {
    unseen_.erase(spi);
    answer(record_of_child(spi), replica::Outcome::refused, now);
    replica().on_gone(record_of_child(spi));
    const IkeKey made = image_.sas().children.at(spi).made;
    image_.suspect(made);
    touched_.insert(made);
    feed_at_ = now + limits::kCharonFeedPause;
}

void IpsecSas::confirm(std::uint32_t spi, TimePoint now) {
    unseen_.erase(spi);
    answer(record_of_child(spi), replica::Outcome::installed, now);
    answer(record_of_counters(spi), replica::Outcome::installed, now);
}

void IpsecSas::turn(TimePoint now, Effects& effects) {
    if (!is_wanted_ || is_active_ || gone_ || feeding_ || flushing_) {
        return;
    }
    if (turn_by_ && *turn_by_ <= now) {
        turn_by_.reset();
    }
    const bool misses =
        !touched_.empty() || !unseen_.empty() || !to_set_.empty() || !setting_.empty();
    if (misses && turn_by_) {
        return;
    }
    is_active_ = true;
    turning_ = true;
    turn_by_.reset();
    touched_.clear();
    unseen_.clear();
    turn_again_at_ = now + limits::kCharonTurnAgain;
    effects.emplace_back(node::TurnCharon{gateway_.id(), true});
}

}  // namespace vpnha::keepers
