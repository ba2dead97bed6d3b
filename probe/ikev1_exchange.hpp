// SPDX-License-Identifier: GPL-2.0-or-later
// IKEv1: the first pair of main mode (RFC 2409 5), in which a proposal is chosen.
//
// A server keeps an exchange that it has answered as half-open, mostly for half a minute. The
// closing message is a third message without a public value: its reader gives up at once.
#pragma once

#include "probe/exchange.hpp"

namespace vpnha::probe {

class Ikev1Exchange final : public Exchange {
  public:
    // Random, and not 0.
    explicit Ikev1Exchange(std::uint64_t cookie);

    [[nodiscard]] std::string_view step() const override { return "main_mode"; }
    [[nodiscard]] bool is_over() const override { return theirs_ != 0; }
    [[nodiscard]] const Bytes& request() const override { return request_; }
    [[nodiscard]] Result<void> on_datagram(ByteView datagram) override;
    [[nodiscard]] Bytes closing_message() const override;

  private:
    std::uint64_t ours_;
    std::uint64_t theirs_ = 0;
    Bytes request_;
};

}  // namespace vpnha::probe
