// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/ipsec/charon_secrets.hpp"

#include <deque>

#include "ipsec/ha_message.hpp"

namespace vpnha::adapters {

namespace {

// Version and type.
constexpr std::size_t kHeadBytes = 2;

// One message's secret is none of another message, IKE SA or place.
Bytes context_of(const ipsec::HaMessage& message, ipsec::HaTag tag) {
    ByteWriter context;
    context.bytes(to_bytes("charon"));
    context.u8(static_cast<std::uint8_t>(message.type)).u8(static_cast<std::uint8_t>(tag));
    context.bytes(message.find(ipsec::HaTag::ike_id).value_or(ByteView{}));
    return std::move(context).take();
}

}  // namespace

Result<Bytes> CharonSecrets::seal(ByteView message) const {
    VPNHA_TRY(ipsec::HaMessage parsed, ipsec::parse_ha_message(message));
    std::deque<Bytes> sealed;
    for (ipsec::Attribute& attribute : parsed.attributes) {
        if (ipsec::is_secret(attribute.tag)) {
            VPNHA_TRY(Bytes each, box_.seal(context_of(parsed, attribute.tag), attribute.value));
            attribute.value = sealed.emplace_back(std::move(each));
        }
    }
    return ipsec::build_ha_message(parsed.type, parsed.attributes);
}

// Opened where it goes from: nothing of a secret is anywhere else.
Result<void> CharonSecrets::open(ByteView sealed, SecretBytes& plain) const {
    VPNHA_TRY(const ipsec::HaMessage parsed, ipsec::parse_ha_message(sealed));
    bool fits = plain.append(ipsec::build_ha_message(parsed.type, {}));
    for (const ipsec::Attribute& attribute : parsed.attributes) {
        if (!ipsec::is_secret(attribute.tag)) {
            const Bytes whole = ipsec::build_ha_message(parsed.type, std::span(&attribute, 1));
            fits = fits && plain.append(ByteView(whole).subspan(kHeadBytes));
            continue;
        }
        if (attribute.value.size() < SecretBox::kOverhead) {
            return fail(Errc::malformed, "a secret of charon's that is not sealed");
        }
        const auto size = static_cast<std::uint16_t>(attribute.value.size() - SecretBox::kOverhead);
        ByteWriter head;
        head.u8(static_cast<std::uint8_t>(attribute.tag)).u16(size);
        fits = fits && plain.append(head.view());
        VPNHA_CHECK(box_.open(context_of(parsed, attribute.tag), attribute.value, plain));
    }
    return fits ? Result<void>() : fail(Errc::limit, "no room for a message of charon's");
}

}  // namespace vpnha::adapters
