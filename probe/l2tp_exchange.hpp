// SPDX-License-Identifier: GPL-2.0-or-later
// L2TP: requests a tunnel, and closes it (RFC 2661 5.1, 5.7). SCCRQ, SCCRP, StopCCN and its
// acknowledgement: the server's kernel gets no tunnel, and there is no session in it.
#pragma once

#include "base/ids.hpp"
#include "probe/exchange.hpp"
#include "protocols/l2tp/model/control_message.hpp"

namespace vpnha::probe {

// The probe's name in an SCCRQ.
inline constexpr std::string_view kProbesHostName = "vpnha-probe";
// Of a StopCCN or CDN: "result 2, error 6".
[[nodiscard]] std::string l2tp_result_of(const l2tp::ControlMessage& message);

class L2tpExchange final : public Exchange {
  public:
    // Not 0; random, so that a server never takes two probes for one.
    explicit L2tpExchange(TunnelId ours);

    [[nodiscard]] std::string_view step() const override;
    [[nodiscard]] bool is_over() const override { return step_ == Step::over; }
    [[nodiscard]] const Bytes& request() const override { return request_; }
    [[nodiscard]] Result<void> on_datagram(ByteView datagram) override;
    [[nodiscard]] Bytes closing_message() const override;

  private:
    enum class Step { sccrq, stopccn, over, refused };

    TunnelId ours_;
    TunnelId theirs_{};
    Step step_ = Step::sccrq;
    Bytes request_;
};

}  // namespace vpnha::probe
