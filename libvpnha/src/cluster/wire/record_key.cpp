// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/wire/record_key.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace vpnha::wire {

RecordId::RecordId(ByteView bytes) : size_(static_cast<std::uint8_t>(bytes.size())) {
    VPNHA_ASSERT(bytes.size() <= bytes_.size());
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

RecordKey last_key(RecordType type) {
    Bytes id(limits::kRecordIdBytesMax, 0xff);
    return {type, RecordId(id)};
}

}  // namespace vpnha::wire
