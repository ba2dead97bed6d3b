// SPDX-License-Identifier: GPL-2.0-or-later
// IKEv2: IKE_SA_INIT, with the server's cookie if it asks for one (RFC 7296 1.2, 2.6).
//
// The probe offers common proposals, and a public value of a group that RFC 8247 forbids. A server
// with a connection for the address chooses a proposal, and answers with its own group
// (INVALID_KE_PAYLOAD). So it has read and decided, and keeps no half-open SA.
#pragma once

#include <array>

#include "probe/exchange.hpp"

namespace vpnha::probe {

// Random numbers of one probe.
struct Ikev2Numbers {
    std::uint64_t spi = 0;
    std::array<std::uint8_t, 32> nonce{};
    std::array<std::uint8_t, 128> public_value{};
};

class Ikev2Exchange final : public Exchange {
  public:
    explicit Ikev2Exchange(const Ikev2Numbers& numbers);

    [[nodiscard]] std::string_view step() const override;
    [[nodiscard]] bool is_over() const override { return over_; }
    [[nodiscard]] const Bytes& request() const override { return request_; }
    [[nodiscard]] Result<void> on_datagram(ByteView datagram) override;

  private:
    [[nodiscard]] Result<void> take_cookie(ByteView cookie);

    Ikev2Numbers numbers_;
    Bytes request_;
    int cookies_ = 0;
    bool over_ = false;
};

}  // namespace vpnha::probe
