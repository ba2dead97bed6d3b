// SPDX-License-Identifier: GPL-2.0-or-later
// The keeper of the toy protocol of CONTRIBUTING.md, whose machine hears when its numbers are set.
#pragma once

#include <memory>

#include "echo/keeper/echo_sessions.hpp"
#include "protocols/families.hpp"
#include "sim/counter_family.hpp"

namespace vpnha::sim {

class EchoFamily final : public echo::EchoSessions {
  public:
    EchoFamily(keepers::Gateway& gateway, NumberKernel& kernel)
        : EchoSessions(gateway), gateway_(gateway.id()), kernel_(kernel) {}
    [[nodiscard]] static std::unique_ptr<keepers::Keeper> make(keepers::Gateway& gateway,
                                                               const keepers::Settings&) {
        return std::make_unique<EchoFamily>(gateway, *CounterFamily::starting);
    }

    void warm(const keepers::Margin& margin, TimePoint now, effects::Effects& effects) override {
        kernel_.on_warm(gateway_, margin);
        EchoSessions::warm(margin, now, effects);
    }

  private:
    GatewayId gateway_;
    NumberKernel& kernel_;
};

}  // namespace vpnha::sim
