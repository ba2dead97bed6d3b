// SPDX-License-Identifier: GPL-2.0-or-later
// Files of WireGuard peers: of each that is read the records are sane.
#include <algorithm>
#include <string_view>

#include "base/assert.hpp"
#include "protocols/wireguard/model/key_text.hpp"
#include "protocols/wireguard/model/peers_file.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto file = wireguard::parse_peers_file(text, "peers.conf")) {
        for (const auto& [peer, preshared] : file->peers) {
            const auto again = wireguard::parse_peer(wireguard::encode_key(peer.key),
                                                     wireguard::encode_peer(peer));
            VPNHA_ASSERT(again && *again == peer);
            wireguard::PublicKey key;
            VPNHA_ASSERT(wireguard::parse_key_text(wireguard::to_string(peer.key), key.octets));
            VPNHA_ASSERT(key == peer.key);
        }
    }
    return 0;
}
