// SPDX-License-Identifier: GPL-2.0-or-later
// The files of a gateway's WireGuard: its private key, and its peers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/secrets/secret_box.hpp"
#include "protocols/wireguard/model/peers_file.hpp"

namespace vpnha::adapters {

struct WireguardFiles {
    std::string private_key;
    std::string peers;
};

// A file as `wg genkey` writes it. Error not_found: there is no such file.
[[nodiscard]] Result<wireguard::SecretKey> read_private_key(const std::string& path);

// The peers, with sealed preshared keys. Other settings of [Interface] do not belong into a file of
// peers, but are accepted if the device has them. An error has a line for each mistake.
[[nodiscard]] Result<std::vector<wireguard::Peer>> read_peers(const WireguardFiles& files,
                                                              std::uint16_t listen_port,
                                                              const SecretBox& box);

// Appends it to `plain`. Errors are those of SecretBox::open().
[[nodiscard]] Result<void> open_preshared(const SecretBox& box, const wireguard::Peer& peer,
                                          SecretBytes& plain);

}  // namespace vpnha::adapters
