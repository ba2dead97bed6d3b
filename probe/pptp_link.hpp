// SPDX-License-Identifier: GPL-2.0-or-later
// PPP with a test account in a call of PPTP (ppp_login.hpp, protocols/pptp/model/trial_call.hpp).
// Pure. To the server it is a session like any other one.
#pragma once

#include "probe/ppp_login.hpp"
#include "protocols/pptp/model/trial_call.hpp"

namespace vpnha::probe {

class PptpLink final : public pptp::TrialLink {
  public:
    explicit PptpLink(PppLogin login) : login_(std::move(login)) {}

    [[nodiscard]] std::string_view step() const override { return to_string(login_.step()); }
    [[nodiscard]] bool is_over() const override { return login_.step() == PppLogin::Step::over; }
    [[nodiscard]] const Bytes& request() const override { return login_.request(); }
    void repeat() override { login_.ask(); }
    [[nodiscard]] Result<void> on_frame(ByteView frame) override { return login_.on_frame(frame); }
    [[nodiscard]] std::vector<Bytes> take_answers() override { return login_.take_answers(); }

  private:
    PppLogin login_;
};

}  // namespace vpnha::probe
