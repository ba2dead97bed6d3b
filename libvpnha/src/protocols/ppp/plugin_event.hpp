// SPDX-License-Identifier: GPL-2.0-or-later
// Stock sessions of PPP: what the plugin of each pppd reports. Each keeper takes the sessions that
// are of its protocol.
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

// What all keepers may know of it.
struct PluginSession {
    wire::RecordKey record;   // Its name, of the protocol's type.
    Ipv4Address peer;         // The client's outside of the tunnel.
    ppp::SessionFacts facts;  // Without an obstacle.
    std::any own;             // What else its protocol has made of the report, for its own keeper.
};

// A stock session came up; `not_resumable` names what keeps it from being replicated.
struct PluginUp {
    PluginToken plugin = 0;
    const PluginSession& session;
    const std::string& not_resumable;
    const RadiusReply& radius;
};
// What a pppd says of the end of its session; one that was killed says nothing.
struct PluginEnd {
    EndCause cause = EndCause::nas_error;
    std::optional<Traffic> traffic;  // What its device had counted.
};
// Of any protocol.
struct PluginDown {
    PluginToken plugin = 0;
    PluginEnd end;
};

// A pppd wants an address for its client. → AnswerAddress
struct PluginAsks {
    PluginToken plugin = 0;
    const std::string& user;  // As authenticated; may be empty.
};

using PluginEvent = std::variant<PluginAsks, PluginUp, PluginDown>;
template <effects::OneOf<PluginEvent> What>
PluginEvent event_of(const What&);

}  // namespace vpnha::node
