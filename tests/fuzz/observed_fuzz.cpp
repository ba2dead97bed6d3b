// SPDX-License-Identifier: GPL-2.0-or-later
// IPv4 packets of PPTP as an observer and a probe of a control connection get them: TCP and GRE,
// whole or cut short. What is taken of one lies within it.
#include "base/assert.hpp"
#include "protocols/pptp/backend/observed_packet.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    const auto packet = adapters::parse_observed(bytes);
    if (!packet) {
        return 0;
    }
    if (const auto* const segment = std::get_if<adapters::ObservedSegment>(&*packet)) {
        VPNHA_ASSERT(segment->payload.size() <= size);
        VPNHA_ASSERT(segment->payload.empty() ||
                     (segment->payload.data() >= data &&
                      segment->payload.data() + segment->payload.size() <= data + size));
    } else if (const auto* const gre = std::get_if<adapters::ObservedGre>(&*packet)) {
        VPNHA_ASSERT(!gre->coherency || (gre->sequence && *gre->coherency < 4096));
    }
    return 0;
}
