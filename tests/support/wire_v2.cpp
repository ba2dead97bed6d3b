// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/wire_v2.hpp"

#include <array>

namespace vpnha::wire {

namespace {

// Version 2: the body of version 1 behind a word of flags that version 1 does not have.
constexpr std::uint32_t kFlags = 0x00020000;

void encode_v2(ByteWriter& out, const Message& message) {
    out.u32(kFlags);
    version_1().encode(out, message);
}

Result<Message> parse_v2(ByteReader& in) {
    if (in.u32() != kFlags) {
        return fail(Errc::malformed, "flags of version 2 are missing");
    }
    return version_1().parse(in);
}

Result<Message> parse_own_v2(ByteReader& in) {
    in.u32();
    return version_1().parse_own(in);
}

const std::array<Codec, 2>& codecs() {
    static const std::array<Codec, 2> kCodecs{version_1(),
                                              Codec{2, encode_v2, parse_v2, parse_own_v2}};
    return kCodecs;
}

}  // namespace

std::span<const Codec> next_codecs() {
    return codecs();
}

std::span<const Codec> distant_codecs() {
    return std::span(codecs()).last(1);
}

}  // namespace vpnha::wire
