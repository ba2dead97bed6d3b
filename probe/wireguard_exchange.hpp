// SPDX-License-Identifier: GPL-2.0-or-later
// WireGuard: a handshake as a client begins it, and the server's response. Its keys are never used,
// so the server keeps no session: it forgets the handshake after its own time-out.
//
// A server answers only clients that it knows, and no initiation twice. So this needs an account,
// and each repetition is a new handshake with a later time.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "probe/exchange.hpp"
#include "probe/noise.hpp"

namespace vpnha::probe {

// Of one probe.
struct WireguardNumbers {
    std::uint64_t unix_s = 0;
    std::uint32_t nanoseconds = 0;
    std::uint32_t index = 0;  // Random, as is the next.
    noise::Secret seed{};     // The handshakes' own keys are derived from it.
};

class WireguardExchange final : public Exchange {
  public:
    // Errors: those of noise::Handshake::begin().
    [[nodiscard]] static Result<std::unique_ptr<WireguardExchange>> make(
        noise::Account account, const WireguardNumbers& numbers);

    [[nodiscard]] std::string_view step() const override { return "handshake"; }
    [[nodiscard]] bool is_over() const override { return over_; }
    [[nodiscard]] const Bytes& request() const override { return handshakes_.back().initiation(); }
    [[nodiscard]] Result<void> on_datagram(ByteView datagram) override;
    void repeat() override;
    [[nodiscard]] std::string hint() const override;

  private:
    WireguardExchange(noise::Account account, const WireguardNumbers& numbers)
        : account_(std::move(account)), numbers_(numbers) {}
    [[nodiscard]] Result<void> begin();

    noise::Account account_;
    WireguardNumbers numbers_;
    std::vector<noise::Handshake> handshakes_;  // The answer to an earlier one may still come.
    bool over_ = false;
    bool is_put_off_ = false;  // The server is under load.
};

}  // namespace vpnha::probe
