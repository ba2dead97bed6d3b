// SPDX-License-Identifier: GPL-2.0-or-later
// Any frame of a link, where everybody may say that an address is his. A claim that was read can
// be made by its owner, and is then read as the same.
#include "base/assert.hpp"
#include "host/addresses/neighbour.hpp"

using namespace vpnha;
using namespace vpnha::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto claim = parse_claim(ByteView{data, size})) {
        const auto v4 = claim->address.v4();
        const Bytes made =
            v4 ? encode_gratuitous_arp(claim->mac, *v4, ArpOperation::reply)
               : encode_neighbour_advertisement(claim->mac, *claim->address.v6(), false);
        VPNHA_ASSERT(parse_claim(made) == claim);
    }
    return 0;
}
