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
// Turns of the coherency count that a first packet is looked for; at 1 us a key 70 ms.
constexpr std::uint64_t kTurnsMax = 16;
constexpr int kSearchesMax = 8;

}  // namespace

Receiver::~Receiver() {
    OPENSSL_cleanse(keys_.data(), sizeof keys_);
}

void Receiver::skip_to(std::uint64_t index) {
    if (index > index_) {
        index_ = index;
        unseen_ = 0;
    }
    searches_ = kSearchesMax;
}

bool Receiver::catch_up(std::size_t keys_max) {
    for (; chain_.next() < index_ && keys_max > 0; --keys_max) {
        chain_.step();
    }
    return chain_.next() >= index_;
}

std::optional<ByteView> Receiver::open(ByteView frame, std::uint8_t* out) {
    ByteReader reader(frame);
    const std::uint16_t header = reader.u16();
    if (!reader.ok() || (header & kBits) != kStateless) {
        ++counters_->malformed;
        return std::nullopt;
    }
    const ByteView text = reader.rest();
    const std::uint64_t ahead = (header - index_) % kCoherencyCounts;
    const std::uint64_t back = kCoherencyCounts - ahead;
    if (back <= std::min<std::uint64_t>(kKept, index_) && (unseen_ >> (back - 1) & 1) != 0) {
        return open_late(back, text, out);
    }
    if (searches_ == 0 && ahead > kJumpMax) {
        ++counters_->outdated;
        return std::nullopt;
    }
    return open_ahead(ahead, text, out);
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

std::optional<ByteView> Receiver::open_ahead(std::uint64_t ahead, ByteView text,
                                             std::uint8_t* out) {
    // Kept apart until the packet has shown that the key is right.
    KeyChain chain = chain_;
    std::array<Key, kKept> keys;
    const std::uint64_t turns = searches_ == 0 ? 1 : kTurnsMax;
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
        searches_ = 0;
        OPENSSL_cleanse(keys.data(), sizeof keys);
        return packet;
    }
    searches_ = std::max(0, searches_ - 1);
    ++counters_->undecipherable;
    OPENSSL_cleanse(keys.data(), sizeof keys);
    return std::nullopt;
}

}  // namespace vpnha::mppe
