// SPDX-License-Identifier: GPL-2.0-or-later
// A resumed PPP link under a hostile peer: the input is a list of frames, each with its length in
// two octets before it. Whatever comes, answers are well-formed and bounded, and an ended link is
// silent.
#include "base/assert.hpp"
#include "base/limits.hpp"
#include "protocols/ppp/model/link_endpoint.hpp"

using namespace vpnha;
using namespace vpnha::ppp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    LinkCounters counters;
    LinkEndpoint link({.ours = {.magic = 0x0a0a0a0a},
                       .theirs = {.mru = 1400, .magic = 0x0b0b0b0b},
                       .echo_interval = std::chrono::seconds(1),
                       .echo_failures = 3},
                      counters);
    TimePoint now{};
    link.start(now);
    bool ended = false;
    ByteReader frames(ByteView{data, size});
    while (frames.remaining() != 0) {
        now += std::chrono::milliseconds(100);
        for (const LinkEndpoint::Effects& effects :
             {link.on_frame(frames.take_prefixed(0xffff), now), link.on_time(now)}) {
            VPNHA_ASSERT(!ended || (effects.frames.empty() && !effects.end_reason));
            for (const Bytes& frame : effects.frames) {
                ByteReader reader(frame);
                reader.u16();
                VPNHA_ASSERT(parse_control_packet(reader.rest()).has_value());
                VPNHA_ASSERT(frame.size() <= 1400 + 2);
            }
            ended = ended || effects.end_reason.has_value();
        }
    }
    return 0;
}
