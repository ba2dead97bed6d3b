// SPDX-License-Identifier: GPL-2.0-or-later
// Stock sessions of PPP, as the plugin of each pppd reports them. Each keeper handles the sessions
// of its protocol.
#pragma once

#include <any>
#include <optional>
#include <string>
#include <variant>

#include "base/accounting.hpp"
#include "base/ids.hpp"
#include "base/tokens.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "cluster/wire/record_key.hpp"
#include "protocols/ppp/model/session_facts.hpp"

namespace vpnha::node {

// The part for all keepers.
struct PluginSession {
    wire::RecordKey record;   // Its name, of the protocol's type.
    Ipv4Address peer;         // The client's outside of the tunnel.
    ppp::SessionFacts facts;  // Without an obstacle.
    std::any own;             // The protocol's part of the report, for its own keeper.
};

// A stock session came up; `not_resumable` is the reason why it is not replicated.
struct PluginUp {
    PluginToken plugin = 0;
    const PluginSession& session;
    const std::string& not_resumable;
    const RadiusReply& radius;
};
// A pppd's report of the end of its session; a pppd that was killed sends none.
struct PluginEnd {
    EndCause cause = EndCause::nas_error;
    std::optional<Traffic> traffic;  // The counters of its device.
};
// For any protocol.
struct PluginDown {
    PluginToken plugin = 0;
    PluginEnd end;
};

// A pppd requests an address for its client. → AnswerAddress
struct PluginAsks {
    PluginToken plugin = 0;
    const std::string& user;  // As authenticated; may be empty.
};

using PluginEvent = std::variant<PluginAsks, PluginUp, PluginDown>;
template <effects::OneOf<PluginEvent> What>
PluginEvent event_of(const What&);

}  // namespace vpnha::node
