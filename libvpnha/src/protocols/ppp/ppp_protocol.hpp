// SPDX-License-Identifier: GPL-2.0-or-later
// Port: a protocol whose stock sessions have a pppd. What the plugin of such a pppd reports goes to
// the protocol that the plugin names, which makes of it what its keeper takes. Called from the
// event loop only.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "config/config.hpp"
#include "protocols/ppp/model/session_facts.hpp"
#include "protocols/ppp/plugin_event.hpp"

namespace vpnha::ports {

class PppProtocol {
  public:
    // It lives during the call.
    struct Report {
        PluginToken plugin = 0;
        const config::Gateway& gateway;
        // As the protocol has them (docs/reference/plugin-protocol.md). They may hold keys.
        ByteView ids;
        const ppp::SessionFacts& facts;
    };
    struct Session {
        node::PluginSession session;
        std::string not_resumable;  // Why it cannot be replicated; empty when it can.
    };

    // As the plugin has it: "l2tp".
    [[nodiscard]] virtual std::string_view name() const = 0;
    // The gateway has the protocol's table in vpnha.toml.
    [[nodiscard]] virtual bool serves(const config::Gateway& gateway) const = 0;
    // A session is up, or something of it has changed. Error malformed: the ids are none.
    [[nodiscard]] virtual Result<Session> on_session_up(const Report& report) = 0;
    // Its pppd is gone. Announced: it has told its peer of the end.
    virtual void on_pppd_gone(PluginToken, bool) {}

  protected:
    ~PppProtocol() = default;
};

}  // namespace vpnha::ports
