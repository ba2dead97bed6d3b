// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes on the control socket, read as a client's and as a daemon's. What was read can be
// written and is then read as the same.
#include "base/assert.hpp"
#include "base/limits.hpp"
#include "host/control/control_message.hpp"

using namespace vpnha;
using namespace vpnha::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ControlFrameReader reader(limits::kControlRequestBytesMax);
    const std::size_t half = size / 2;
    if (!reader.feed(ByteView{data, half}) || !reader.feed(ByteView{data, size}.subspan(half))) {
        VPNHA_ASSERT(!reader.next());
        return 0;
    }
    while (const std::optional<std::string> text = reader.next()) {
        static_cast<void>(parse_control_answer(*text));
        const Result<ControlCall> call = parse_control_request(*text);
        if (call) {
            const Result<ControlCall> again = parse_control_request(encode_control_request(*call));
            VPNHA_ASSERT(again && again->verb == call->verb);
            VPNHA_ASSERT(again->arguments.size() == call->arguments.size());
        }
    }
    return 0;
}
