// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/radius_exchange.hpp"

#include <algorithm>
#include <utility>

namespace vpnha::probe {

namespace {

using adapters::kRadiusHeaderBytes;
using adapters::RadiusDigest;
using adapters::RadiusType;

constexpr std::uint8_t kStatusServer = 12;
// RFC 5997 3: from a port for authentication, and from one for accounting.
constexpr std::uint8_t kAccessAccept = 2;
constexpr std::uint8_t kAccountingResponse = 5;
constexpr std::string_view kNasIdentifier = "vpnha-probe";

}  // namespace

Result<std::unique_ptr<RadiusExchange>> RadiusExchange::make(const RadiusNumbers& numbers,
                                                             adapters::SecretBytes secret) {
    ByteWriter writer;
    writer.u8(kStatusServer).u8(numbers.id).u16(0).bytes(numbers.authenticator);
    adapters::RadiusAttributes attributes(writer);
    attributes.add(RadiusType::message_authenticator, RadiusDigest{});
    attributes.add(RadiusType::nas_identifier, to_bytes(kNasIdentifier));
    writer.patch_u16(adapters::kRadiusLengthOffset, static_cast<std::uint16_t>(writer.size()));
    Bytes request = std::move(writer).take();
    const auto digest = adapters::hmac_md5(secret.view(), {request});
    if (!digest) {
        return fail(Errc::unsupported, "this machine's libcrypto has no MD5, which RADIUS needs");
    }
    std::ranges::copy(*digest, request.begin() + kRadiusHeaderBytes + 2);
    return std::unique_ptr<RadiusExchange>(
        new RadiusExchange(std::move(secret), std::move(request)));
}

RadiusExchange::RadiusExchange(adapters::SecretBytes secret, Bytes request)
    : secret_(std::move(secret)), request_(std::move(request)) {}

Result<void> RadiusExchange::on_datagram(ByteView datagram) {
    const ByteView answer = adapters::answer_in(datagram, request_);
    if (answer.empty() || (answer[0] != kAccessAccept && answer[0] != kAccountingResponse)) {
        return {};
    }
    over_ = over_ || adapters::is_signed_answer(answer, request_, secret_.view());
    forged_ = !over_;
    return {};
}

std::string RadiusExchange::hint() const {
    return forged_ ? "an answer with another secret came" : "";
}

}  // namespace vpnha::probe
