// SPDX-License-Identifier: GPL-2.0-or-later
// A replicated flow or expectation: one octet that says how long the identity is, the identity, the
// payload. What parses is valid, and is coded with the very same octets (two nodes must agree on
// its digest).
#include <algorithm>

#include "base/assert.hpp"
#include "services/flows/model/expectation.hpp"
#include "services/flows/model/flow_record.hpp"
#include "services/flows/model/standby.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView{data, size});
    const ByteView id = in.take(std::min<std::size_t>(in.u8(), in.remaining()));
    const ByteView payload = in.rest();
    if (const Result<conntrack::FlowKey> key = conntrack::parse_key(id)) {
        VPNHA_ASSERT(std::ranges::equal(conntrack::encode_key(*key).view(), id));
        VPNHA_ASSERT(!conntrack::to_string(*key).empty());
    }
    if (const Result<conntrack::Flow> flow = conntrack::parse_flow(id, payload)) {
        VPNHA_ASSERT(conntrack::validate(*flow).has_value());
        VPNHA_ASSERT(std::ranges::equal(conntrack::encode_payload(*flow).view(), payload));
        conntrack::Flow hot = conntrack::hot(*flow);
        hot.timeout_s = flow->timeout_s;
        VPNHA_ASSERT(std::ranges::equal(conntrack::encode_payload(hot).view(), payload));
    }
    if (const auto expectation = conntrack::parse_expectation(id, payload)) {
        VPNHA_ASSERT(conntrack::validate(*expectation).has_value());
        VPNHA_ASSERT(std::ranges::equal(conntrack::encode_payload(*expectation), payload));
    }
    return 0;
}
