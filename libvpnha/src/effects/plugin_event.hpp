// SPDX-License-Identifier: GPL-2.0-or-later
// Stock sessions of PPP: what the plugin of each pppd says of its own. Each keeper takes the
// sessions that are of its protocol.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/accounting.hpp"
#include "base/bytes.hpp"
#include "effects/protocol_work.hpp"
#include "effects/tokens.hpp"
#include "l2tp/session_record.hpp"
#include "pptp/call_record.hpp"

namespace vpnha::node {

// The keys in its record are sealed already.
struct PluginCall {
    pptp::CallRecord record;
    pptp::CallNumbers numbers;  // As far as they have been seen.
};

// One alternative a protocol.
using PluginSession = std::variant<l2tp::SessionRecord, PluginCall>;

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
template <OneOf<PluginEvent> What>
PluginEvent event_of(const What&);

}  // namespace vpnha::node
