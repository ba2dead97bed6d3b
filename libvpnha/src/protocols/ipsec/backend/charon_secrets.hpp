// SPDX-License-Identifier: GPL-2.0-or-later
// Seals the secrets in charon's messages as soon as they arrive, and opens them just before another
// node's charon receives them. A sealed message differs only by its longer secrets.
#pragma once

#include <cstdint>

#include "host/secrets/secret_box.hpp"
#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::adapters {

class CharonSecrets {
  public:
    explicit CharonSecrets(SecretBox box) : box_(std::move(box)) {}

    // Returns a message for a record.
    [[nodiscard]] Result<Bytes> seal(const ipsec::HaMessage& message) const;
    // Appends it to `plain` for charons of that version (3 to 5). Unsupported: that version does
    // not know one of its tags. Further errors: those of parse_ha_message() and SecretBox::open().
    [[nodiscard]] Result<void> open(ByteView sealed, std::uint8_t version,
                                    SecretBytes& plain) const;

  private:
    SecretBox box_;
};

}  // namespace vpnha::adapters
