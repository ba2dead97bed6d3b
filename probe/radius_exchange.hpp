// SPDX-License-Identifier: GPL-2.0-or-later
// RADIUS: Status-Server (RFC 5997), which asks whether the server answers, without any user.
#pragma once

#include <memory>

#include "host/secrets/secret_bytes.hpp"
#include "probe/exchange.hpp"
#include "services/accounting/backend/radius_packet.hpp"

namespace vpnha::probe {

// Random numbers of one probe.
struct RadiusNumbers {
    std::uint8_t id = 0;
    adapters::RadiusDigest authenticator{};
};

class RadiusExchange final : public Exchange {
  public:
    // Error unsupported: this machine's libcrypto has no MD5.
    [[nodiscard]] static Result<std::unique_ptr<RadiusExchange>> make(const RadiusNumbers& numbers,
                                                                      adapters::SecretBytes secret);

    [[nodiscard]] std::string_view step() const override { return "status_server"; }
    [[nodiscard]] bool is_over() const override { return over_; }
    [[nodiscard]] const Bytes& request() const override { return request_; }
    [[nodiscard]] Result<void> on_datagram(ByteView datagram) override;
    [[nodiscard]] std::string hint() const override;

  private:
    RadiusExchange(adapters::SecretBytes secret, Bytes request);

    adapters::SecretBytes secret_;
    Bytes request_;
    bool over_ = false;
    bool forged_ = false;  // An answer made with another secret has come.
};

}  // namespace vpnha::probe
