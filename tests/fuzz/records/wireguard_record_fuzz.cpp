// SPDX-License-Identifier: GPL-2.0-or-later
// Records of WireGuard peers: what parses is coded with the very same octets. An input is a public
// key with a payload behind it.
#include <algorithm>

#include "base/assert.hpp"
#include "protocols/wireguard/model/peer_record.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView id = ByteView{data, size}.first(std::min(size, wireguard::kKeyBytes));
    const ByteView payload = ByteView{data, size}.subspan(id.size());
    if (const auto key = wireguard::parse_key(id)) {
        VPNHA_ASSERT(std::ranges::equal(wireguard::encode_key(*key), id));
    }
    if (const auto peer = wireguard::parse_peer(id, payload)) {
        VPNHA_ASSERT(std::ranges::equal(wireguard::encode_peer(*peer), payload));
    }
    if (const auto traffic = wireguard::parse_traffic(payload)) {
        VPNHA_ASSERT(std::ranges::equal(wireguard::encode_traffic(*traffic), payload));
    }
    return 0;
}
