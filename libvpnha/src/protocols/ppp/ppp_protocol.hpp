// SPDX-License-Identifier: GPL-2.0-or-later
// Port: a protocol whose stock sessions have a pppd. A report of
// such a pppd's plugin goes to the protocol that it names, which
// converts it for its keeper. Called from the event loop only.
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
    // It is valid during the call.
    struct Report {
        PluginToken plugin = 0;
        const config::Gateway& gateway;
        // In the protocol's format (docs/reference/plugin-protocol.md). They may hold keys.
        ByteView ids;
        const ppp::SessionFacts& facts;
    };
    struct Session {
        node::PluginSession session;
        std::string not_resumable;  // Why it cannot be replicated; empty when it can.
    };

    // Its name in plugin messages: "l2tp".
    [[nodiscard]] virtual std::string_view name() const = 0;
    // The gateway has the protocol's table in vpnha.toml.
    [[nodiscard]] virtual bool serves(const config::Gateway& gateway) const = 0;
    // A session is up, or a part of it has changed. Error malformed: the ids cannot be parsed.
    [[nodiscard]] virtual Result<Session> on_session_up(const Report& report) = 0;
    // Its pppd is gone. Announced: it has notified its peer of the end.
    virtual void on_pppd_gone(PluginToken, bool) {}

  protected:
    ~PppProtocol() = default;
};

}  // namespace vpnha::ports
