// SPDX-License-Identifier: GPL-2.0-or-later
#include "ppp/proxied_address.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace vpnha::ppp {

void write_proxied(ByteWriter& writer, const std::vector<ProxiedAddress>& proxied) {
    writer.u8(static_cast<std::uint8_t>(proxied.size()));
    for (const ProxiedAddress& each : proxied) {
        const ByteView octets = each.address.octets();
        writer.u8(static_cast<std::uint8_t>(each.side));
        writer.u8(static_cast<std::uint8_t>(octets.size())).bytes(octets);
    }
}

Result<std::vector<ProxiedAddress>> read_proxied(ByteReader& reader) {
    const std::size_t count = reader.u8();
    if (count > limits::kSessionProxiedMax) {
        return fail(Errc::malformed, fmt::format("a session with {} proxied addresses", count));
    }
    std::vector<ProxiedAddress> proxied;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t side = reader.u8();
        const std::size_t octets = reader.u8();
        const auto address = ip_address_of(reader.take(octets));
        if (!address || side >= kLinkSideCount) {
            return fail(Errc::malformed, "a proxied address has no side or no address");
        }
        proxied.push_back({static_cast<LinkSide>(side), *address});
    }
    return proxied;
}

}  // namespace vpnha::ppp
