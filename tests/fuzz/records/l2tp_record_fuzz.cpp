// SPDX-License-Identifier: GPL-2.0-or-later
// A replicated session: what parses is sane, and is written with the very same bytes (two nodes
// must agree on the digest of a record).
#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "protocols/l2tp/model/session_record.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    if (const Result<l2tp::SessionRecord> record = l2tp::parse_record(bytes)) {
        const Bytes again = l2tp::encode_record(*record);
        VPNHA_ASSERT(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
        VPNHA_ASSERT(again.size() <= limits::kRecordPayloadBytesMax);
        VPNHA_ASSERT(l2tp::validate(*record).has_value());
    }
    if (const Result<l2tp::SessionKey> key = l2tp::parse_key(bytes)) {
        const Bytes again = l2tp::encode_key(*key);
        VPNHA_ASSERT(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
        VPNHA_ASSERT(again.size() <= limits::kRecordIdBytesMax);
    }
    return 0;
}
