// SPDX-License-Identifier: GPL-2.0-or-later
// A call to a PPTP server as a client makes it: a control connection, a call, and PPP in GRE. By
// default it ends when the server's LCP has answered, before authentication. Pure, and without a
// clock: its owner has the sockets, and decides when to give up.
//
//   step   | what ends it
//   -------+---------------------------------------------
//   start  | Start-Control-Connection-Reply
//   call   | Outgoing-Call-Reply
//   gre    | LCP answers a Configure-Request; or the given link is over
//   over   | -
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/pptp/model/call_record.hpp"
#include "protocols/pptp/model/control_message.hpp"

namespace vpnha::pptp {

// A client's PPP in the call. Frames begin at the protocol's number.
class TrialLink {
  public:
    TrialLink() = default;
    virtual ~TrialLink() = default;
    TrialLink(const TrialLink&) = delete;
    TrialLink& operator=(const TrialLink&) = delete;

    // The current step.
    [[nodiscard]] virtual std::string_view step() const = 0;
    [[nodiscard]] virtual bool is_over() const = 0;
    // The request of the step. Empty: the server sends next.
    [[nodiscard]] virtual const Bytes& request() const = 0;
    // Repeats an unanswered request; a link that must not repeat it makes another one.
    virtual void repeat() = 0;
    // From the server, with address and control field or without. Error unreachable: it refuses.
    [[nodiscard]] virtual Result<void> on_frame(ByteView frame) = 0;
    // To be sent once.
    [[nodiscard]] virtual std::vector<Bytes> take_answers() = 0;
    // The answer that the step waits for.
    [[nodiscard]] virtual std::string missing() const;
};

class TrialCall {
  public:
    enum class Step { start, call, gre, over };

    // Without a link an LCP that answers is enough.
    explicit TrialCall(CallId ours, std::unique_ptr<TrialLink> link = nullptr);

    [[nodiscard]] Step step() const { return step_; }
    // The step, or that of the link; for a call that is over its last one.
    [[nodiscard]] std::string_view step_name() const;
    // The step's message on the control connection, once. Empty: there is none.
    [[nodiscard]] Bytes request() const;
    // The end of the call and of the connection, at any step.
    [[nodiscard]] Bytes closing_message() const;
    // Octets from the control connection. Errors: it is no PPTP (malformed), or the server refuses
    // calls (unreachable).
    [[nodiscard]] Result<void> on_control(ByteView octets);
    // A packet of GRE from the server, from its header on. Error unreachable: the link's.
    [[nodiscard]] Result<void> on_packet(ByteView packet);
    // Packets of GRE that are to be sent now.
    [[nodiscard]] std::vector<Bytes> take_packets() { return std::exchange(packets_, {}); }
    // The link's request was not answered, and is due again.
    void repeat();
    // The answer that the step waits for, for an error message.
    [[nodiscard]] std::string missing() const;

  private:
    [[nodiscard]] Result<void> on_message(const ControlMessage& message);
    void send(ByteView frame);

    CallId ours_;
    CallId theirs_{};
    std::unique_ptr<TrialLink> link_;
    Step step_ = Step::start;
    Bytes stream_;  // An incomplete message.
    std::vector<Bytes> packets_;
    std::uint32_t sequence_ = 0;
    bool has_spoken_ = false;  // The server, in PPP.
};

}  // namespace vpnha::pptp
