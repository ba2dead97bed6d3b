// SPDX-License-Identifier: GPL-2.0-or-later
// A message of the listing of WireGuard peers: what stands behind its header. Each peer that is
// read fits into a request to the kernel.
#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "protocols/wireguard/backend/wireguard_message.hpp"

using namespace vpnha;
using namespace vpnha::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 4096) {
        return 0;
    }
    std::vector<std::uint32_t> words((MNL_NLMSG_HDRLEN + size + 3) / 4);
    auto* const message = reinterpret_cast<nlmsghdr*>(words.data());
    message->nlmsg_len = static_cast<std::uint32_t>(MNL_NLMSG_HDRLEN + size);
    std::copy_n(data, size, static_cast<std::uint8_t*>(mnl_nlmsg_get_payload(message)));
    std::vector<std::uint32_t> buffer(kWireguardRequestBytesMax / 4);
    for_each_peer(message, [&buffer](const wireguard::PeerState& peer) {
        PeerRequest request(reinterpret_cast<char*>(buffer.data()), 30, "wg0");
        VPNHA_ASSERT(request.add({.key = peer.key, .endpoint = peer.endpoint}));
        VPNHA_ASSERT(request.finish()->nlmsg_len <= kWireguardRequestBytesMax);
    });
    return 0;
}
