// SPDX-License-Identifier: GPL-2.0-or-later
// L2TP: a tunnel is asked for, and taken back (RFC 2661 5.1, 5.7). SCCRQ, SCCRP, StopCCN and its
// acknowledgement: the server's kernel never knows of the tunnel, and no session is in it.
#pragma once

#include "base/ids.hpp"
#include "probe/exchange.hpp"
#include "protocols/l2tp/model/control_message.hpp"

namespace vpnha::probe {

// As an SCCRQ names the probe.
inline constexpr std::string_view kProbesHostName = "vpnha-probe";
// Of a StopCCN or CDN: "result 2, error 6".
[[nodiscard]] std::string l2tp_result_of(const l2tp::ControlMessage& message);

class L2tpExchange final : public Exchange {
  public:
    // Not 0; random, so that no two probes are one for a server.
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
