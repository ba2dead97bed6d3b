// SPDX-License-Identifier: GPL-2.0-or-later
// Any datagram: what parses says the same after it was written again.
#include "base/assert.hpp"
#include "protocols/l2tp/model/control_message.hpp"

using namespace vpnha;
using namespace vpnha::l2tp;

namespace {

void check_same(const ControlMessage& a, const ControlMessage& b) {
    VPNHA_ASSERT(a.header == b.header);
    VPNHA_ASSERT(a.avps.size() == b.avps.size());
    VPNHA_ASSERT(a.is_zlb() || a.type() == b.type());
    VPNHA_ASSERT(a.has_unknown_mandatory() == b.has_unknown_mandatory());
    VPNHA_ASSERT(a.u16(AvpType::result_code) == b.u16(AvpType::result_code));
    VPNHA_ASSERT(a.u16(AvpType::assigned_session_id) == b.u16(AvpType::assigned_session_id));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView datagram{data, size};
    const Result<ControlMessage> message = parse_control(datagram);
    if (!message || is_data(datagram)) {
        VPNHA_ASSERT(!message || !is_data(datagram));
        return 0;
    }
    ByteWriter avps;
    for (const Avp& avp : message->avps) {
        write_avp(avps, avp);
    }
    const Bytes again = encode_control(message->header, avps.view());
    const Result<ControlMessage> parsed = parse_control(again);
    VPNHA_ASSERT(parsed.has_value());
    check_same(*message, *parsed);
    return 0;
}
