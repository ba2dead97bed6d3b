// SPDX-License-Identifier: GPL-2.0-or-later
#include "mppe/receiver.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "mppe/inner_packet.hpp"
#include "mppe/sender.hpp"

namespace vpnha::mppe {

namespace {

constexpr std::uint16_t kBits = 0xf000;
constexpr std::uint16_t kStateless = 0x9000;
// At 1 us a key 130 ms.
constexpr std::int64_t kDistanceMax = 131'072;
// Numbers in another order than the indexes.
constexpr std::int64_t kReordered = Receiver::kKept;
// Turns of the coherency count that a first packet is looked for; 70 ms.
constexpr std::uint64_t kTurnsMax = 16;
constexpr int kFarAttemptsMax = 8;

}  // namespace

Receiver::~Receiver() {
    OPENSSL_cleanse(keys_.data(), sizeof keys_);
}

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
    far_attempts_ = 0;
}

bool Receiver::catch_up(std::size_t keys_max) {
    for (; chain_.next() < index_ && keys_max > 0; --keys_max) {
        chain_.step();
    }
    return chain_.next() >= index_;
}

std::optional<std::uint64_t> Receiver::ahead_of_index(std::uint64_t count,
                                                      std::uint32_t number) const {
    const std::uint64_t ahead = (count - index_) % kCoherencyCounts;
    const std::int64_t distance = static_cast<std::int32_t>(number - last_);
    if (distance > kDistanceMax) {
        return is_first_ || ahead <= kJumpMax ? std::optional(ahead) : std::nullopt;
    }
    const std::int64_t more = distance - 1 + kReordered - static_cast<std::int64_t>(ahead);
    if (more < 0) {
        return is_first_ && distance > 0 ? std::optional(ahead) : std::nullopt;
    }
    return ahead + static_cast<std::uint64_t>(more) / kCoherencyCounts * kCoherencyCounts;
}

std::optional<ByteView> Receiver::open(ByteView frame, std::uint32_t number, std::uint8_t* out) {
    ByteReader reader(frame);
    const std::uint16_t header = reader.u16();
    if (!reader.ok() || (header & kBits) != kStateless) {
        ++counters_->malformed;
        return std::nullopt;
    }
    const ByteView text = reader.rest();
    const std::uint64_t count = header % kCoherencyCounts;
    if (const auto ahead = ahead_of_index(count, number)) {
        return open_ahead(*ahead, number, text, out);
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
    const auto packet = inner_packet({out, text.size()});
    if (!packet) {
        ++counters_->undecipherable;
        return std::nullopt;
    }
    ++counters_->late;
    unseen_ &= ~(std::uint64_t{1} << (back - 1));
    return packet;
}

std::optional<ByteView> Receiver::open_ahead(std::uint64_t ahead, std::uint32_t number,
                                             ByteView text, std::uint8_t* out) {
    const bool may_be_far = far_attempts_ < kFarAttemptsMax;
    if (ahead > kJumpMax && !may_be_far) {
        ++counters_->outdated;
        return std::nullopt;
    }
    // Kept apart until the packet has shown that the key is right.
    KeyChain chain = chain_;
    std::array<Key, kKept> keys;
    const std::uint64_t turns = is_first_ && may_be_far ? kTurnsMax : 1;
    for (std::uint64_t turn = 0; turn < turns; ++turn) {
        const std::uint64_t index = index_ + ahead + turn * kCoherencyCounts;
        while (chain.next() <= index) {
            chain.step();
            keys[(chain.next() - 1) % kKept] = chain.key();
        }
        chain.crypt(chain.key(), text, out);
        const auto packet = inner_packet({out, text.size()});
        if (!packet) {
            continue;
        }
        // The keys from the old index on are new; those before are kept already.
        const std::uint64_t made = index + 1 - index_;
        for (std::uint64_t i = 0; i < std::min<std::uint64_t>(made, kKept); ++i) {
            keys_[(index - i) % kKept] = keys[(index - i) % kKept];
        }
        unseen_ =
            made >= kKept ? ~std::uint64_t{0} : unseen_ << made | ((std::uint64_t{1} << made) - 1);
        unseen_ &= ~std::uint64_t{1};
        chain_ = chain;
        index_ = index + 1;
        last_ = number;
        is_first_ = false;
        far_attempts_ = 0;
        OPENSSL_cleanse(keys.data(), sizeof keys);
        return packet;
    }
    far_attempts_ += may_be_far && (is_first_ || ahead > kJumpMax) ? 1 : 0;
    ++counters_->undecipherable;
    OPENSSL_cleanse(keys.data(), sizeof keys);
    return std::nullopt;
}

}  // namespace vpnha::mppe
