// SPDX-License-Identifier: GPL-2.0-or-later
// Seals what is secret in charon's messages as soon as they come, and opens it just before another
// node's charon gets them. A sealed message is one like any other, with longer secrets.
#pragma once

#include "adapters/secrets/secret_box.hpp"

namespace vpnha::adapters {

class CharonSecrets {
  public:
    explicit CharonSecrets(SecretBox box) : box_(std::move(box)) {}

    // Errors are those of parse_ha_message(), too.
    [[nodiscard]] Result<Bytes> seal(ByteView message) const;
    // Appends the message to `plain`. Errors: those of SecretBox::open(), too.
    [[nodiscard]] Result<void> open(ByteView sealed, SecretBytes& plain) const;

  private:
    SecretBox box_;
};

}  // namespace vpnha::adapters
