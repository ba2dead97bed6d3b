// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/wire/codec.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/assert.hpp"

namespace vpnha::wire {

namespace {

constexpr std::uint32_t kMagic = 0x56504e48;  // "VPNH"
constexpr std::size_t kTrailerBytes = 4;

std::uint32_t checksum(ByteView bytes) {
    return static_cast<std::uint32_t>(crc32_z(crc32_z(0, nullptr, 0), bytes.data(), bytes.size()));
}

}  // namespace

std::span<const Codec> released_codecs() {
    static const std::array<Codec, 1> kCodecs{version_1()};
    return kCodecs;
}

std::optional<std::uint8_t> Dialects::common(std::uint8_t min, std::uint8_t max) const {
    const std::uint8_t highest = std::min(max, version_max());
    return highest >= std::max(min, version_min()) ? std::optional(highest) : std::nullopt;
}

Bytes Dialects::encode(const Message& message, std::uint8_t version) const {
    VPNHA_ASSERT(version >= version_min() && version <= version_max());
    ByteWriter out;
    out.u32(kMagic).u8(version);
    codecs_[version - version_min()].encode(out, message);
    const std::uint32_t sum = checksum(out.view());
    out.u32(sum);
    return std::move(out).take();
}

Result<Message> Dialects::parse(ByteView bytes) const {
    return parse(bytes, &Codec::parse);
}

Result<Message> Dialects::parse_own(ByteView bytes) const {
    return parse(bytes, &Codec::parse_own);
}

Result<Message> Dialects::parse(ByteView bytes, Parser parser) const {
    if (bytes.size() < kTrailerBytes) {
        return fail(Errc::malformed, "message shorter than its checksum");
    }
    const ByteView covered = bytes.first(bytes.size() - kTrailerBytes);
    ByteReader trailer(bytes.last(kTrailerBytes));
    ByteReader in(covered);
    if (in.u32() != kMagic) {
        return fail(Errc::malformed, "message of another program: wrong magic");
    }
    if (trailer.u32() != checksum(covered)) {
        return fail(Errc::malformed, "checksum differs");
    }
    const std::uint8_t version = in.u8();
    if (!in.ok() || version < version_min() || version > version_max()) {
        return fail(Errc::unsupported, fmt::format("wire version {}; this node speaks {} to {}",
                                                   version, version_min(), version_max()));
    }
    return (codecs_[version - version_min()].*parser)(in);
}

}  // namespace vpnha::wire
