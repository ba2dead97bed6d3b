// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/charon_secrets.hpp"

#include <deque>
#include <optional>
#include <vector>

#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::adapters {

namespace {

// A secret can be opened only in its own message, IKE SA and attribute.
Bytes context_of(const ipsec::HaMessage& message, ipsec::HaTag tag) {
    ByteWriter context;
    context.bytes(to_bytes("charon"));
    context.u8(static_cast<std::uint8_t>(message.type)).u8(static_cast<std::uint8_t>(tag));
    context.bytes(message.find(ipsec::HaTag::ike_id).value_or(ByteView{}));
    return std::move(context).take();
}

}  // namespace

Result<Bytes> CharonSecrets::seal(const ipsec::HaMessage& message) const {
    std::vector<ipsec::Attribute> attributes = message.attributes;
    std::deque<Bytes> sealed;
    for (ipsec::Attribute& attribute : attributes) {
        if (ipsec::is_secret(attribute.tag)) {
            VPNHA_TRY(Bytes each, box_.seal(context_of(message, attribute.tag), attribute.value));
            attribute.value = sealed.emplace_back(std::move(each));
        }
    }
    return ipsec::build_ha_message(message.type, attributes);
}

// Opened in the buffer from which it is sent: no copy of a secret exists anywhere else.
Result<void> CharonSecrets::open(ByteView sealed, std::uint8_t version, SecretBytes& plain) const {
    VPNHA_TRY(const ipsec::HaMessage parsed, ipsec::parse_ha_message(sealed));
    bool fits = plain.append(Bytes{version, static_cast<std::uint8_t>(parsed.type)});
    for (const auto& [tag, value] : parsed.attributes) {
        const std::optional<std::uint8_t> number = ipsec::charon_tag(tag, version);
        if (!number) {
            return fail(Errc::unsupported, "several key exchanges, of which charon 5.9 has none");
        }
        const std::size_t overhead = ipsec::is_secret(tag) ? SecretBox::kOverhead : 0;
        if (value.size() < overhead) {
            return fail(Errc::malformed, "a secret of charon's that is not sealed");
        }
        ByteWriter head;
        head.u8(*number);
        if (ipsec::is_prefixed(tag)) {
            head.u16(static_cast<std::uint16_t>(value.size() - overhead));
        }
        fits = fits && plain.append(head.view());
        if (ipsec::is_secret(tag)) {
            VPNHA_CHECK(box_.open(context_of(parsed, tag), value, plain));
        } else {
            fits = fits && plain.append(value);
        }
    }
    return fits ? Result<void>() : fail(Errc::limit, "no room for a message of charon's");
}

}  // namespace vpnha::adapters
