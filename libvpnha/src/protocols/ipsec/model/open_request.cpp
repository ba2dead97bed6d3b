// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/model/open_request.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace vpnha::ipsec {

namespace {

constexpr std::uint8_t kOpenRequestVersion = 1;

// RFC 7296 3.1, with or without the four octets of RFC 3948 2.2 in front.
bool is_about(ByteView datagram, const OpenRequest& request) {
    constexpr std::size_t kBeforeMid = 4;
    const auto is_at = [&](std::size_t offset) {
        ByteReader in(datagram);
        in.take(offset);
        const std::uint64_t spi_i = in.u64();
        const std::uint64_t spi_r = in.u64();
        in.take(kBeforeMid);
        return in.u32() == request.mid && in.ok() && spi_i == request.key.spi_i &&
               spi_r == request.key.spi_r;
    };
    return is_at(0) || is_at(4);
}

}  // namespace

Bytes encode_id(const OpenRequest& request) {
    ByteWriter out;
    out.u8(request.key.version).u64(request.key.spi_i).u64(request.key.spi_r).u32(request.mid);
    return std::move(out).take();
}

Bytes encode_record(const OpenRequest& request) {
    ByteWriter out;
    out.u8(kOpenRequestVersion).prefixed(request.datagram);
    return std::move(out).take();
}

Result<OpenRequest> parse_request_id(ByteView id) {
    ByteReader in(id);
    OpenRequest request;
    request.key.version = in.u8();
    request.key.spi_i = in.u64();
    request.key.spi_r = in.u64();
    request.mid = in.u32();
    if (!in.finished() || request.key.version != 2) {
        return fail(Errc::malformed, "the id of an open request cannot be read");
    }
    return request;
}

Result<OpenRequest> parse_open_request(ByteView id, ByteView payload) {
    VPNHA_TRY(OpenRequest request, parse_request_id(id));
    ByteReader in(payload);
    const std::uint8_t version = in.u8();
    if (in.ok() && version != kOpenRequestVersion) {
        return fail(Errc::unsupported, fmt::format("an open request of version {}", version));
    }
    const ByteView datagram = in.take_prefixed(limits::kIkeRequestBytesMax);
    request.datagram.assign(datagram.begin(), datagram.end());
    if (!in.finished() || !is_about(datagram, request)) {
        return fail(Errc::malformed, "a record of an open request cannot be read");
    }
    return request;
}

}  // namespace vpnha::ipsec
