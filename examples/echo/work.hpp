// SPDX-License-Identifier: GPL-2.0-or-later
// Sessions of echo: what their keeper wants of this node's responder, and what it hears of it.
#pragma once

#include <cstdint>
#include <map>
#include <variant>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "cluster/effects/protocol_work.hpp"
#include "echo/model/echo_record.hpp"

namespace vpnha::echo {

// By session: the number of the next answer.
using Numbers = std::map<SessionId, std::uint64_t>;

// The responder knows the session from now on, and says nothing. → Installed
struct Install {
    SessionId id = 0;
    Bytes sealed;
    std::uint64_t ticket = 0;
};
struct Remove {
    SessionId id = 0;
};
// It answers, or is silent.
struct Serve {
    bool on = false;
};
// No number goes back. → NumbersSet
struct SetNumbers {
    Numbers numbers;
    std::uint64_t ticket = 0;
};
// → NumbersRead
struct ReadNumbers {
    std::uint64_t ticket = 0;
};

using Work = std::variant<Install, Remove, Serve, SetNumbers, ReadNumbers>;
struct GatewayWork {
    GatewayId gateway;
    Work work;
};
GatewayWork work_of(const GatewayWork&);

struct Installed {
    SessionId id = 0;
    std::uint64_t ticket = 0;
    Result<void> result;
};
struct NumbersSet {
    std::uint64_t ticket = 0;
};
struct NumbersRead {
    std::uint64_t ticket = 0;
    Numbers numbers;
};
// A client has opened or closed a session.
struct Opened {
    SessionId id = 0;
    Bytes sealed;
};
struct Closed {
    SessionId id = 0;
};

using Event = std::variant<Installed, NumbersSet, NumbersRead, Opened, Closed>;
template <effects::OneOf<Event> What>
Event event_of(const What&);

}  // namespace vpnha::echo
