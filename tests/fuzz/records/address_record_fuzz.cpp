// SPDX-License-Identifier: GPL-2.0-or-later
// The record of a client's address: what parses is written with the very same bytes.
#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "keepers/addresses/address_record.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    const wire::RecordKey key = keepers::record_key_of(Ipv4Address{0x0ac81005});
    if (const Result<keepers::AddressRecord> record = keepers::parse_address(key, bytes)) {
        const Bytes again = keepers::encode_address(*record);
        VPNHA_ASSERT(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
        VPNHA_ASSERT(again.size() <= limits::kRecordPayloadBytesMax);
        VPNHA_ASSERT(record->address == Ipv4Address{0x0ac81005});
    }
    return 0;
}
