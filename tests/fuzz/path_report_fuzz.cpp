// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes from the program that parses what PPTP clients send: a report within its bounds, which
// is written as it was read, or an error. The orders to it have the same reader.
#include <algorithm>

#include "base/assert.hpp"
#include "protocols/pptp/backend/path_message.hpp"

using namespace vpnha;
using namespace vpnha::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    if (const auto report = parse_report(bytes)) {
        VPNHA_ASSERT(std::ranges::equal(encode_report(*report), bytes));
        if (const auto* const read = std::get_if<PathNumbersRead>(&*report)) {
            VPNHA_ASSERT(read->calls.size() <= kPathCallsMax);
        }
        if (const auto* const ended = std::get_if<CallHasEnded>(&*report)) {
            VPNHA_ASSERT(ended->reason.size() <= kPathTextBytesMax);
        }
    }
    if (const auto order = parse_order(bytes)) {
        VPNHA_ASSERT(std::ranges::equal(encode_order(*order), bytes));
    }
    return 0;
}
