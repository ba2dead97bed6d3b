// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/keeper/esp_numbers.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::keepers {

namespace {

using ipsec::EspCounters;
using ipsec::SaCounters;

constexpr NumberUse kUse{limits::kEspPerSecond, limits::kEspPerEpoch};
constexpr std::uint64_t kLast32 = std::numeric_limits<std::uint32_t>::max();

std::uint64_t last_of(const EspCounters& counters) {
    return counters.esn ? std::numeric_limits<std::uint64_t>::max() : kLast32;
}

// At the last number the kernel sends nothing more on that SA. This also holds where no peer would
// follow: two shorter jumps from one record would both end at the same number.
std::uint64_t ahead(const EspCounters& counters, std::uint64_t by) {
    const std::uint64_t last = last_of(counters);
    const std::uint64_t left = last - std::min(counters.oseq, last);
    return by > left || (counters.esn && by > limits::kEspJumpMax) ? last : counters.oseq + by;
}

bool is_in_right(const SaCounters& in, const EspCounters& known) {
    return in.seq > known.seq || (in.seq == known.seq && (in.bitmap == known.bitmap ||
                                                          in.bitmap.size() != known.bitmap.size()));
}

}  // namespace

void EspNumbers::know(const EspCounters& counters, Epoch emitted) {
    known_[counters.spi] = counters;
    const auto floor = floors_.find(counters.spi);
    const bool is_earlier = emitted.number < margin_.granted.number;
    if (floor != floors_.end() && is_earlier && !margin_.run_on) {
        floor->second = std::max(floor->second, floor_beyond(counters, emitted));
    }
}

void EspNumbers::forget(std::uint32_t spi) {
    known_.erase(spi);
    there_.erase(spi);
    since_.erase(spi);
    floors_.erase(spi);
    used_.erase(spi);
    born_.erase(spi);
    listed_.erase(spi);
    seen_.erase(spi);
}

void EspNumbers::rise(const ipsec::SaSet& sas, const Margin& margin, const EmittedIn& emitted_in,
                      TimePoint now) {
    serves_ = true;
    margin_ = margin;
    read_at_ = now;
    floors_.clear();
    used_.clear();
    born_.clear();
    for (const auto& [spi, child] : sas.children()) {
        begin(spi, emitted_in(spi), now);
    }
    listed_.clear();
    for (const auto& [spi, pair] : there_) {
        listed_.insert(spi);
    }
}

void EspNumbers::begin(std::uint32_t spi, Epoch emitted, TimePoint now) {
    EspCounters counters = known(spi);
    if (const auto there = there_.find(spi); there != there_.end() && !known_.contains(spi)) {
        counters.esn = there->second.in.esn;
    }
    const std::uint64_t floor = floor_beyond(counters, emitted);
    born_[spi] = counters.born == 0 ? emitted.number : counters.born;
    floors_[spi] = floor;
    used_[spi] = {floor, now};
}

std::uint64_t EspNumbers::floor_beyond(const EspCounters& counters, Epoch emitted) const {
    const std::uint64_t born = counters.born == 0 ? emitted.number : counters.born;
    // A node that has served since, and published nothing, may have begun at a standby's lead, as
    // this node would.
    const bool led = margin_.run_on != Duration{} && margin_.granted.number > emitted.number + 1;
    return ahead(counters, margin_.beyond({emitted, counters.oseq, born}, kUse) +
                               (led ? limits::kEspLead : 0));
}

void EspNumbers::rise_late(std::uint32_t spi, Epoch emitted, TimePoint now) {
    if (serves_ && emitted.number != 0 && emitted.number < margin_.granted.number &&
        !floors_.contains(spi)) {
        begin(spi, emitted, now);
    }
}

void EspNumbers::sink() {
    serves_ = false;
    floors_.clear();
    used_.clear();
    born_.clear();
    listed_.clear();
    seen_.clear();
    there_.clear();
}

// Numbers that vpnhad set are not counted: forget() precedes a remade SA.
void EspNumbers::count(std::uint32_t spi, const Pair& pair) {
    const Packets now{pair.in.seq, pair.out.oseq};
    if (const auto seen = seen_.find(spi); seen != seen_.end()) {
        passed_.in += now.in - std::min(now.in, seen->second.in);
        passed_.out += now.out - std::min(now.out, seen->second.out);
    }
    seen_[spi] = now;
}

void EspNumbers::raise_floor(std::uint32_t spi, TimePoint now) {
    if (serves_) {
        EspCounters counters = known(spi);
        Used& used = used_.try_emplace(spi, Used{counters.oseq, read_at_}).first->second;
        // A standby's SA leads, and may have begun beyond its floor.
        if (const auto there = there_.find(spi); there != there_.end()) {
            used.last = std::max(used.last, there->second.out.oseq);
        }
        counters.oseq = used.last;
        const Margin since{{}, now - used.at};
        std::uint64_t& floor = floors_[spi];
        floor = std::max(floor, ahead(counters, since.beyond({}, kUse)));
    }
}

void EspNumbers::remake(std::uint32_t spi, TimePoint now) {
    lose(spi, now);
    since_[spi] = TimePoint::max();
}

void EspNumbers::on_remade(std::uint32_t spi, TimePoint now) {
    if (const auto found = since_.find(spi); found != since_.end()) {
        found->second = now;
    }
}

void EspNumbers::lose(std::uint32_t spi, TimePoint now) {
    raise_floor(spi, now);
    there_.erase(spi);
    seen_.erase(spi);
    since_[spi] = now;
}

void EspNumbers::lose_all(const ipsec::SaSet& sas, TimePoint now) {
    for (const auto& [spi, child] : sas.children()) {
        since_[spi] = now;
        raise_floor(spi, now);
    }
    there_.clear();
    seen_.clear();
}

void EspNumbers::lose_unread(std::uint32_t spi, TimePoint emitted_at, TimePoint now) {
    // A node that reads nothing of charon for so long renews no lease, and its gate is shut.
    constexpr Duration kUnread = std::chrono::seconds(1);
    used_.try_emplace(spi, Used{0, emitted_at - kUnread});
    lose(spi, now);
}

EspCounters EspNumbers::known(std::uint32_t spi) const {
    const auto found = known_.find(spi);
    EspCounters none;
    none.spi = spi;
    return found == known_.end() ? none : found->second;
}

EspNumbers::Pairs EspNumbers::pair_up(Listed listed, const ipsec::SaSet& sas) {
    std::map<ipsec::SaId, const SaCounters*> by_id;
    for (const SaCounters& each : listed) {
        by_id.emplace(each.id, &each);
    }
    Pairs pairs;
    for (const SaCounters& in : listed) {
        const ipsec::ChildSa* const child = sas.find_child(in.id.spi);
        if (child == nullptr) {
            continue;
        }
        const auto out = by_id.find({in.id.destination, in.id.source, child->spi_out});
        if (out != by_id.end()) {
            pairs.insert_or_assign(child->spi, Pair{in, *out->second});
        }
    }
    return pairs;
}

std::vector<EspCounters> EspNumbers::news(const Pairs& pairs, const ipsec::SaSet& sas,
                                          TimePoint at) {
    read_at_ = at;
    std::vector<EspCounters> changed;
    for (const auto& [spi, child] : sas.children()) {
        EspCounters now = known(spi);
        now.born = born_.try_emplace(spi, margin_.granted.number).first->second;
        if (const auto found = pairs.find(spi); found != pairs.end()) {
            const Pair& pair = found->second;
            count(spi, pair);
            now.esn = pair.in.esn;
            now.window = pair.in.window;
            now.oseq = std::max(now.oseq, pair.out.oseq);
            if (pair.in.seq >= now.seq) {
                now.seq = pair.in.seq;
                now.bitmap = pair.in.bitmap;
            }
            listed_.insert(spi);
        } else if (seen_.erase(spi); listed_.erase(spi) != 0) {
            // The SA has gone since: the numbers that it sent after the last listing are not known.
            raise_floor(spi, at);
        }
        // An SA that is not in this kernel also has a floor: the next node begins there.
        if (const auto floor = floors_.find(spi); floor != floors_.end()) {
            now.oseq = std::max(now.oseq, floor->second);
        }
        used_[spi] = {now.oseq, at};
        if ((now.oseq != 0 || now.seq != 0) && now != known(spi)) {
            known_[spi] = now;
            changed.push_back(std::move(now));
        }
    }
    return changed;
}

void EspNumbers::on_listed(Pairs pairs, TimePoint at) {
    there_ = std::move(pairs);
    std::erase_if(since_, [at](const auto& each) { return each.second <= at; });
    std::erase_if(there_, [this](const auto& each) { return since_.contains(each.first); });
}

bool EspNumbers::is_out_right(const SaCounters& out, std::uint32_t spi) const {
    if (!serves_) {
        return out.oseq >= ahead(known(spi), limits::kEspLead / 2);
    }
    const auto floor = floors_.find(spi);
    return floor == floors_.end() || out.oseq >= floor->second;
}

bool EspNumbers::is_right(std::uint32_t spi) const {
    const auto found = there_.find(spi);
    return found != there_.end() && is_out_right(found->second.out, spi) &&
           is_in_right(found->second.in, known(spi));
}

bool EspNumbers::leads_too_far(std::uint32_t spi) const {
    const auto there = there_.find(spi);
    const auto floor = floors_.find(spi);
    return there != there_.end() && floor != floors_.end() &&
           there->second.out.oseq > std::max(floor->second, ahead(known(spi), limits::kEspLead));
}

void EspNumbers::set(std::uint32_t spi, bool exact, std::vector<SaCounters>& wanted) {
    const auto found = there_.find(spi);
    if (found == there_.end()) {
        return;
    }
    auto& [in, out] = found->second;
    const EspCounters numbers = known(spi);
    const auto floor = floors_.find(spi);
    if (exact && floor != floors_.end() && out.oseq != floor->second) {
        out.oseq = floor->second;
        wanted.push_back(out);
    } else if (!is_out_right(out, spi)) {
        out.oseq = std::max(out.oseq, serves_ ? floor->second : ahead(numbers, limits::kEspLead));
        wanted.push_back(out);
    }
    if (!is_in_right(in, numbers)) {
        in.seq = numbers.seq;
        if (in.bitmap.size() == numbers.bitmap.size()) {
            in.bitmap = numbers.bitmap;
        } else {
            // The window has another size: everything received before counts as received.
            std::ranges::fill(in.bitmap, std::numeric_limits<std::uint32_t>::max());
        }
        wanted.push_back(in);
    }
}

std::vector<std::uint32_t> EspNumbers::low() const {
    constexpr std::uint64_t kLow = 4 * limits::kEspPerEpoch;
    std::vector<std::uint32_t> spis;
    for (const auto& [spi, counters] : known_) {
        if (counters.oseq > last_of(counters) - kLow) {
            spis.push_back(spi);
        }
    }
    return spis;
}

std::optional<std::uint64_t> EspNumbers::left() const {
    std::optional<std::uint64_t> least;
    for (const auto& [spi, counters] : known_) {
        const std::uint64_t last = last_of(counters);
        if (const std::uint64_t here = last - std::min(counters.oseq, last); here <= kLast32) {
            least = std::min(least.value_or(kLast32), here);
        }
    }
    return least;
}

}  // namespace vpnha::keepers
