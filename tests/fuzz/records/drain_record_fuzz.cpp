// SPDX-License-Identifier: GPL-2.0-or-later
// The record that a gateway is drained: what parses is written with the very same bytes.
#include <algorithm>

#include "base/assert.hpp"
#include "services/drain/model/drain_record.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    if (const Result<keepers::DrainRecord> record = keepers::parse_drain(bytes)) {
        const Bytes again = keepers::encode_drain(*record);
        VPNHA_ASSERT(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    }
    return 0;
}
