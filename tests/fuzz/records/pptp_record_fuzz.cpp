// SPDX-License-Identifier: GPL-2.0-or-later
// Records of PPTP calls: what parses is coded with the very same octets.
#include <algorithm>

#include "base/assert.hpp"
#include "protocols/pptp/model/call_record.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    if (const auto key = pptp::parse_key(bytes)) {
        VPNHA_ASSERT(std::ranges::equal(pptp::encode_key(*key), bytes));
    }
    if (const auto call = pptp::parse_record(bytes)) {
        VPNHA_ASSERT(std::ranges::equal(pptp::encode_record(*call), bytes));
    }
    if (const auto numbers = pptp::parse_numbers(bytes)) {
        VPNHA_ASSERT(std::ranges::equal(pptp::encode_numbers(*numbers), bytes));
    }
    return 0;
}
