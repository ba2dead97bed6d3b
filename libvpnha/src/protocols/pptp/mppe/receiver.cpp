// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/pptp/mppe/receiver.hpp"

#include <algorithm>

#include "protocols/pptp/mppe/inner_packet.hpp"
#include "protocols/pptp/mppe/sender.hpp"

namespace vpnha::mppe {

namespace {

constexpr std::uint16_t kBits = 0xf000;
constexpr std::uint16_t kStateless = 0x9000;
constexpr std::int64_t kDistanceMax = 131'072;
// Numbers in another order than the indexes.
constexpr std::int64_t kReordered = Receiver::kKept;
// Cycles of the coherency count in which a first packet is searched for.
constexpr std::uint64_t kTurnsMore = 15;

}  // namespace

void Receiver::skip_to(std::uint64_t index, std::uint32_t last) {
    if (index < index_) {
        return;
    }
    if (index > index_) {
        index_ = index;
        unseen_ = 0;
    }
    last_ = last;
    is_first_ = true;
}

bool Receiver::catch_up(std::size_t keys_max) {
    for (; chain_.next() < index_ && keys_max > 0; --keys_max) {
        chain_.step();
    }
    return chain_.next() >= index_;
}

bool Receiver::is_plausible(std::uint32_t number) const {
    const std::int64_t distance = static_cast<std::int32_t>(number - last_);
    return distance > -kReordered && distance <= kDistanceMax;
}

std::optional<Receiver::Ahead> Receiver::ahead_of_index(std::uint64_t count,
                                                        std::uint32_t number) const {
    if (!is_plausible(number)) {
        return std::nullopt;
    }
    const std::uint64_t nearest = (count - index_) % kCoherencyCounts;
    const std::int64_t distance = static_cast<std::int32_t>(number - last_);
    const std::int64_t more = distance - 1 + kReordered - static_cast<std::int64_t>(nearest);
    const bool is_searched = is_first_ && distance > 0;
    if (more < 0 && !is_searched) {
        return std::nullopt;
    }
    const std::uint64_t turns =
        (more < 0 ? 0 : static_cast<std::uint64_t>(more) / kCoherencyCounts) +
        (is_searched ? kTurnsMore : 0);
    return Ahead{nearest, nearest + turns * kCoherencyCounts};
}

std::optional<ByteView> Receiver::open(ByteView frame, std::uint32_t number, TimePoint now,
                                       std::uint8_t* out) {
    ByteReader reader(frame);
    const std::uint16_t header = reader.u16();
    if (!reader.ok() || (header & kBits) != kStateless) {
        ++counters_->malformed;
        return std::nullopt;
    }
    const ByteView text = reader.rest();
    const std::uint64_t count = header % kCoherencyCounts;
    if (const auto ahead = ahead_of_index(count, number)) {
        return open_ahead(*ahead, number, text, now, out);
    }
    const std::uint64_t back = kCoherencyCounts - (count - index_) % kCoherencyCounts;
    if (back <= std::min<std::uint64_t>(kKept, index_) && (unseen_ >> (back - 1) & 1) != 0) {
        return open_late(back, text, out);
    }
    ++counters_->outdated;
    return std::nullopt;
}

std::optional<ByteView> Receiver::open_late(std::uint64_t back, ByteView text, std::uint8_t* out) {
    chain_.crypt(keys_[(index_ - back) % kKept], text, out);
    const auto packet = inner_packet({out, text.size()}, with_ipv6_);
    if (!packet) {
        ++counters_->undecipherable;
        return std::nullopt;
    }
    ++counters_->late;
    unseen_ &= ~(std::uint64_t{1} << (back - 1));
    return packet->octets;
}

std::optional<ByteView> Receiver::open_ahead(const Ahead& ahead, std::uint32_t number,
                                             ByteView text, TimePoint now, std::uint8_t* out) {
    const std::uint64_t before = chain_.next();
    const bool is_ready = catch_up(kLateKeysMax);
    counters_->keys += chain_.next() - before;
    const auto affordable = static_cast<std::uint64_t>(kFreeKeys + budget_.left(now));
    if (!is_ready || ahead.nearest >= affordable) {
        ++counters_->refused;
        return std::nullopt;
    }
    // A copy until the packet has proven that the key is right.
    KeyChain chain = chain_;
    const bool is_near =
        ahead.nearest < kKept && static_cast<std::int32_t>(number - last_) <= kReordered;
    std::optional<ByteView> packet;
    const std::uint64_t farthest = std::min(ahead.farthest, affordable - 1);
    for (std::uint64_t each = ahead.nearest; !packet && each <= farthest;
         each += kCoherencyCounts) {
        while (chain.next() <= index_ + each) {
            chain.step();
            tried_[(chain.next() - 1) % kKept] = chain.key();
        }
        chain.crypt(chain.key(), text, out);
        const auto opened = inner_packet({out, text.size()}, with_ipv6_);
        if (opened && (opened->has_checksum || (is_near && each == ahead.nearest))) {
            packet = opened->octets;
        }
    }
    const std::uint64_t made = chain.next() - chain_.next();
    counters_->keys += made;
    budget_.spend(std::max(0, static_cast<int>(made) - kFreeKeys), now);
    if (packet) {
        move_to(chain.next() - 1, chain);
        last_ = number;
    } else {
        ++counters_->undecipherable;
    }
    return packet;
}

void Receiver::move_to(std::uint64_t index, const KeyChain& chain) {
    // The keys from the old index on are new; those before are kept already.
    const std::uint64_t made = index + 1 - index_;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(made, kKept); ++i) {
        keys_[(index - i) % kKept] = tried_[(index - i) % kKept];
    }
    unseen_ =
        made >= kKept ? ~std::uint64_t{0} : unseen_ << made | ((std::uint64_t{1} << made) - 1);
    unseen_ &= ~std::uint64_t{1};
    chain_ = chain;
    index_ = index + 1;
    is_first_ = false;
}

}  // namespace vpnha::mppe
