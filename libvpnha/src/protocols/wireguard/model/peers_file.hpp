// SPDX-License-Identifier: GPL-2.0-or-later
// A file of peers, as `wg setconf` reads it (wg(8), CONFIGURATION FILE FORMAT):
//
//   [Interface]               | what the device has
//   ListenPort, FwMark        | a number; FwMark also "off" or hexadecimal
//   PrivateKey                | a key
//   [Peer]                    | one for each peer
//   PublicKey                 | a key; each peer needs one
//   PresharedKey              | a key
//   AllowedIPs                | nets, with commas between them; the key may stand several times
//   Endpoint                  | ADDRESS:PORT or [ADDRESS]:PORT
//   PersistentKeepalive       | seconds, or "off"
//
// It is stricter than `wg` where that would do what nobody wants: a peer that is there twice, or an
// allowed IP of two peers, which only the last one would get. Names of hosts are not resolved.
// Pure: text in, peers or all errors out. No error quotes a secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/secret_octets.hpp"
#include "protocols/wireguard/model/peer_record.hpp"

namespace vpnha::wireguard {

using SecretKey = SecretOctets<kKeyBytes>;

struct FilePeer {
    Peer peer;  // Its preshared key is not sealed yet.
    std::optional<SecretKey> preshared;
};

struct PeersFile {
    std::optional<std::uint16_t> listen_port;
    std::optional<std::uint32_t> mark;  // 0: off.
    std::optional<SecretKey> private_key;
    std::vector<FilePeer> peers;
};

// As `wg genkey` writes it.
[[nodiscard]] Result<SecretKey> parse_private_key(std::string_view text,
                                                  std::string_view file_name);
// All errors of the file are one Error, with a line of text for each, in the file's order:
// "peers.conf:12: unknown key 'Adress' …; …".
[[nodiscard]] Result<PeersFile> parse_peers_file(std::string_view text, std::string_view file_name);

}  // namespace vpnha::wireguard
