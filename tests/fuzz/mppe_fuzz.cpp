// SPDX-License-Identifier: GPL-2.0-or-later
// A receiver of MPPE: frames with a number and a length in front; the first two octets say where
// it begins, with the highest bit of the first: whether there is IPv6.
// Whatever it opens is an IP packet, and its index never goes back.
#include <algorithm>

#include "base/assert.hpp"
#include "protocols/pptp/mppe/inner_packet.hpp"
#include "protocols/pptp/mppe/receiver.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView{data, size});
    static_cast<void>(mppe::inner_packet(in.take(std::min<std::size_t>(64, in.remaining())), true));
    mppe::ReceiverCounters counters;
    const std::uint8_t first = in.u8();
    const bool with_ipv6 = (first & 0x80) != 0;
    mppe::Receiver receiver(mppe::KeyChain(mppe::Strength::bits128, mppe::Key{}), counters,
                            with_ipv6);
    receiver.skip_to(first, in.u8());
    std::uint64_t index = 0;
    while (in.remaining() != 0) {
        const std::uint32_t number = in.u16();
        const ByteView frame = in.take(std::min<std::size_t>(in.u16(), in.remaining()));
        Bytes out(frame.size());
        const std::uint64_t keys = counters.keys;
        if (const auto packet = receiver.open(frame, number, TimePoint{}, out.data())) {
            VPNHA_ASSERT(mppe::is_ipv4(*packet) || (with_ipv6 && mppe::is_ipv6(*packet)));
        }
        VPNHA_ASSERT(counters.keys - keys <= mppe::Receiver::kFreeKeys + mppe::Receiver::kKeysMax);
        VPNHA_ASSERT(receiver.index() >= index);
        index = receiver.index();
    }
    return 0;
}
