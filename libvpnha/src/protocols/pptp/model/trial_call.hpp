// SPDX-License-Identifier: GPL-2.0-or-later
// A call to a PPTP server as a client makes it, which ends before anybody is asked for a name: a
// control connection, a call, and an LCP of the server's that answers in GRE. Pure, and without a
// clock: who carries it out has the sockets, and gives up.
//
//   step   | what ends it
//   -------+---------------------------------------------
//   start  | Start-Control-Connection-Reply
//   call   | Outgoing-Call-Reply
//   gre    | LCP answers a Configure-Request
//   over   | -
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocols/pptp/model/call_record.hpp"
#include "protocols/pptp/model/control_message.hpp"

namespace vpnha::pptp {

class TrialCall {
  public:
    enum class Step { start, call, gre, over };

    explicit TrialCall(CallId ours) : ours_(ours) {}

    [[nodiscard]] Step step() const { return step_; }
    // What the step sends on the control connection, once. Empty: nothing.
    [[nodiscard]] Bytes request() const;
    // The end of the call and of the connection, whatever they have come to.
    [[nodiscard]] Bytes closing_message() const;
    // What has come on the control connection. Errors: it is no PPTP (malformed), or the server
    // refuses calls (unreachable).
    [[nodiscard]] Result<void> on_control(ByteView octets);
    // A packet of GRE from the server, from its header on.
    void on_packet(ByteView packet);
    // A packet of GRE that is to be sent now: the server's LCP has spoken, or repeat().
    [[nodiscard]] std::optional<Bytes> take_packet();
    void repeat() { is_due_ = step_ == Step::gre; }
    // What the step waits for, for who gives up.
    [[nodiscard]] std::string_view missing() const;

  private:
    [[nodiscard]] Result<void> on_message(const ControlMessage& message);

    CallId ours_;
    CallId theirs_{};
    Step step_ = Step::start;
    Bytes stream_;  // That is no whole message yet.
    std::uint32_t sequence_ = 0;
    bool is_due_ = false;
    bool has_spoken_ = false;  // The server's LCP.
};

}  // namespace vpnha::pptp
