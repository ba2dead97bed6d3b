// SPDX-License-Identifier: GPL-2.0-or-later
// Seals the secrets in a record. A secret is sealed where it comes from a daemon and opened just
// before the daemon of another node gets it: in between, stores, queues, logs and shared memory
// hold ciphertext only.
//
// XChaCha20-Poly1305 (libsodium) under a key that is derived from the cluster's key. So each node
// has it, and Corosync's encryption is not the only one:
//
//   sealed = nonce (24)  ciphertext (as long as the plaintext)  tag (16)
//
// The nonce is a keyed hash of context and plaintext. So the same secret in the same context is
// sealed to the same octets, and a record that did not change is not sent again. A repeated nonce
// has the same plaintext; it only reveals that the two are equal.
//
// The context names the secret's owner: a sealed secret that is moved elsewhere is refused.
#pragma once

#include <string_view>

#include "host/secrets/secret_bytes.hpp"

namespace vpnha::adapters {

class SecretBox {
  public:
    // The size of a sealed secret beyond its plaintext.
    static constexpr std::size_t kOverhead = 40;

    // From the cluster's key, however long that is.
    [[nodiscard]] static Result<SecretBox> make(std::string_view cluster_key);

    // Limit: more than limits::kSecretBytesMax.
    [[nodiscard]] Result<Bytes> seal(ByteView context, ByteView plain) const;
    // Appends the plaintext to `plain`. Malformed: too short or too long for a sealed secret.
    // Permission: not sealed by a node of this cluster, or not in this context. Limit: no room.
    [[nodiscard]] Result<void> open(ByteView context, ByteView sealed, SecretBytes& plain) const;

  private:
    explicit SecretBox(SecretBytes keys) : keys_(std::move(keys)) {}

    SecretBytes keys_;  // Of the nonces, and of the cipher.
};

}  // namespace vpnha::adapters
