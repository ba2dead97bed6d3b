// SPDX-License-Identifier: GPL-2.0-or-later
// The records of a client's address and of a session's account: what parses is written with the
// very same bytes.
#include <algorithm>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "services/accounting/model/account_record.hpp"
#include "services/addresses/model/address_record.hpp"

using namespace vpnha;

namespace {

void is_the_same(const Bytes& again, ByteView bytes) {
    VPNHA_ASSERT(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    VPNHA_ASSERT(again.size() <= limits::kRecordPayloadBytesMax);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    const Ipv4Address address{0x0ac81005};
    if (const auto record = keepers::parse_address(keepers::record_key_of(address), bytes)) {
        is_the_same(keepers::encode_address(*record), bytes);
        VPNHA_ASSERT(record->address == address);
    }
    const keepers::AccountId id{1'767'225'600, {7, NodeId{2}}, 3};
    if (const auto record = keepers::parse_account(keepers::record_key_of(id), bytes)) {
        is_the_same(keepers::encode_account(*record), bytes);
        VPNHA_ASSERT(record->id == id);
    }
    return 0;
}
