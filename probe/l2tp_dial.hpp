// SPDX-License-Identifier: GPL-2.0-or-later
// A complete session of L2TP with a test account: a tunnel, a call, a login, an address and a ping,
// and then the end of all of it (RFC 2661 5, ppp_login.hpp). To the server it is a session like any
// other one.
//
//   step    | asks    | what ends it
//   --------+---------+------------------------------
//   sccrq   | SCCRQ   | SCCRP
//   scccn   | SCCCN   | its acknowledgement
//   icrq    | ICRQ    | ICRP
//   iccn    | ICCN    | its acknowledgement
//   (PPP)   | those of PppLogin, in data messages
//   stopccn | StopCCN | its acknowledgement, or a StopCCN
//
// One of our control messages is under way at a time; each of the server's is acknowledged at once.
#pragma once

#include <optional>

#include "base/ids.hpp"
#include "probe/exchange.hpp"
#include "probe/ppp_login.hpp"
#include "protocols/l2tp/model/control_message.hpp"

namespace vpnha::probe {

// Random numbers of one probe, not 0.
struct L2tpNumbers {
    TunnelId tunnel{};
    SessionId session{};
};

class L2tpDial final : public Exchange {
  public:
    L2tpDial(const L2tpNumbers& ours, PppLogin login);

    [[nodiscard]] std::string_view step() const override;
    [[nodiscard]] bool is_over() const override { return step_ == Step::over; }
    [[nodiscard]] const Bytes& request() const override { return request_; }
    [[nodiscard]] Result<void> on_datagram(ByteView datagram) override;
    void repeat() override;
    [[nodiscard]] std::vector<Bytes> take_answers() override { return std::exchange(answers_, {}); }
    [[nodiscard]] Bytes closing_message() const override;

  private:
    enum class Step { sccrq, scccn, icrq, iccn, ppp, stopccn, over };

    void begin(Step step, SessionId session, const Bytes& avps);
    void begin_ppp();
    void begin_stop();
    [[nodiscard]] Bytes data_message(const Bytes& frame) const;
    [[nodiscard]] std::optional<ByteView> frame_of(ByteView datagram) const;
    [[nodiscard]] Result<void> on_frame(ByteView frame);
    [[nodiscard]] Result<void> on_message(const l2tp::ControlMessage& message);

    L2tpNumbers ours_;
    L2tpNumbers theirs_;
    PppLogin login_;
    Step step_ = Step::sccrq;
    l2tp::Seq16 ns_{};  // Of the message under way, or of the last one.
    l2tp::Seq16 nr_{};  // Of the server's next one.
    bool is_stopped_ = false;
    Bytes request_;
    std::vector<Bytes> answers_;
};

}  // namespace vpnha::probe
