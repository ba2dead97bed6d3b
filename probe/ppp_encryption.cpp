// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/ppp_encryption.hpp"

#include <array>

#include "probe/ppp_options.hpp"

namespace vpnha::probe {

namespace {

using mppe::KeyChain;
using mppe::Strength;

// The option of CCP (RFC 3078 2).
constexpr std::uint8_t kMppe = 18;
constexpr std::uint8_t kMppeBytes = 6;
constexpr std::uint32_t kStateless = 0x0100'0000;

struct Bit {
    std::uint32_t bit;
    Strength strength;
};
// The strongest first.
constexpr std::array kStrengths{Bit{0x40, Strength::bits128}, Bit{0x80, Strength::bits56},
                                Bit{0x20, Strength::bits40}};

// 0: none.
std::uint32_t strongest_of(std::uint32_t offered) {
    for (const Bit& each : kStrengths) {
        if ((offered & each.bit) != 0) {
            return each.bit;
        }
    }
    return 0;
}

Strength strength_of(std::uint32_t bit) {
    for (const Bit& each : kStrengths) {
        if (each.bit == bit) {
            return each.strength;
        }
    }
    return Strength::bits128;
}

struct Offer {
    std::optional<std::uint32_t> mppe;
    Bytes others;  // Options other than MPPE.
};

Offer offer_of(ByteView options) {
    Offer offer;
    for (const PppOption& each : parse_ppp_options(options).value_or(std::vector<PppOption>{})) {
        if (each.type == kMppe && each.whole.size() == kMppeBytes) {
            offer.mppe = ByteReader(each.value).u32();
        } else {
            offer.others.insert(offer.others.end(), each.whole.begin(), each.whole.end());
        }
    }
    return offer;
}

Bytes option_of(std::uint32_t bits) {
    ByteWriter writer;
    writer.u8(kMppe).u8(kMppeBytes).u32(bits);
    return std::move(writer).take();
}

}  // namespace

void PppEncryption::set_keys(const MppeKeys& keys) {
    forget();
    keys_ = keys;
}

void PppEncryption::forget() {
    keys_.reset();
    strength_ = 0;
    sender_.reset();
    receiving_.reset();
}

std::optional<PppEncryption::Answer> PppEncryption::answer(ByteView options) {
    const Offer offer = offer_of(options);
    const std::uint32_t strongest = strongest_of(offer.mppe.value_or(0));
    if (!keys_ || strongest == 0) {
        return std::nullopt;
    }
    if (!offer.others.empty()) {
        return Answer{ppp::Code::configure_reject, offer.others};
    }
    if (!is_on()) {
        strength_ = strongest;
    }
    const std::uint32_t wanted = kStateless | strength_;
    return offer.mppe == wanted ? Answer{ppp::Code::configure_ack, option_of(wanted)}
                                : Answer{ppp::Code::configure_nak, option_of(wanted)};
}

Bytes PppEncryption::wish() const {
    return option_of(kStateless | strength_);
}

bool PppEncryption::take_nak(ByteView options) {
    strength_ = strongest_of(offer_of(options).mppe.value_or(0));
    return strength_ != 0;
}

void PppEncryption::begin() {
    if (!keys_ || is_on()) {
        return;
    }
    const Strength strength = strength_of(strength_);
    sender_.emplace(KeyChain(strength, keys_->send));
    receiving_ = std::make_unique<Receiving>(KeyChain(strength, keys_->receive));
}

Bytes PppEncryption::seal(ByteView frame) {
    ByteWriter writer;
    writer.u16(static_cast<std::uint16_t>(ppp::Protocol::compressed));
    Bytes sealed = std::move(writer).take();
    const std::size_t header = sealed.size();
    sealed.resize(header + mppe::kHeaderBytes + frame.size());
    sender_->seal(frame, sealed.data() + header);
    return sealed;
}

std::optional<Bytes> PppEncryption::open(ByteView sealed) {
    if (!receiving_) {
        return std::nullopt;
    }
    mppe::Receiver& receiver = receiving_->receiver;
    Bytes out(sealed.size());
    // The link has no sequence numbers: each frame is the next one. The time has no effect, since
    // the number of keys allowed at once suffices for a whole probe.
    const auto packet = receiver.open(sealed, receiver.last() + 1, TimePoint{}, out.data());
    return packet ? std::optional(Bytes(packet->begin(), packet->end())) : std::nullopt;
}

}  // namespace vpnha::probe
