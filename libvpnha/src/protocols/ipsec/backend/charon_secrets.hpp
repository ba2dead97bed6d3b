// SPDX-License-Identifier: GPL-2.0-or-later
// Seals what is secret in charon's messages as soon as they come, and opens it just before another
// node's charon gets them. A sealed message is one like any other, with longer secrets.
#pragma once

#include <cstdint>

#include "host/secrets/secret_box.hpp"
#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::adapters {

class CharonSecrets {
  public:
    explicit CharonSecrets(SecretBox box) : box_(std::move(box)) {}

    // A message of records.
    [[nodiscard]] Result<Bytes> seal(const ipsec::HaMessage& message) const;
    // Appends it to `plain` as charons of that version have it (3 to 5). Unsupported: they do not
    // know what it has. Further errors: those of parse_ha_message() and SecretBox::open().
    [[nodiscard]] Result<void> open(ByteView sealed, std::uint8_t version,
                                    SecretBytes& plain) const;

  private:
    SecretBox box_;
};

}  // namespace vpnha::adapters
