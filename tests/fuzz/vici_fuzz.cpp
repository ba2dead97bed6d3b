// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever is at charon's socket may answer. A packet that was read is written as one that is read
// as the same.
#include "base/assert.hpp"
#include "protocols/ipsec/service/vici_message.hpp"

using namespace vpnha;
using namespace vpnha::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (const auto packet = parse_vici_packet(ByteView{data, size})) {
        const auto again = parse_vici_packet(encode_vici_packet(*packet));
        VPNHA_ASSERT(again && *again == *packet);
    }
    return 0;
}
