// SPDX-License-Identifier: GPL-2.0-or-later
// What a gateway is given at its start, and how it speaks to the group.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "cluster/gateway/links.hpp"
#include "cluster/lease/engine.hpp"
#include "cluster/wire/codec.hpp"
#include "protocols/families.hpp"

namespace vpnha::node {

struct GatewaySettings {
    GatewayId id{};
    std::string name;
    LinkSettings links;
    keepers::Settings keepers;
    lease::Setup lease;
    std::string witness_name;  // Empty: there is none.
    bool stand_in = false;     // As a standby it serves for a holder that is not heard.
    // The lease sizes itself, by the measures of so long. nullopt: it lasts what `lease` states.
    std::optional<Duration> lease_watch;
    std::optional<lease::Durable> durable;  // What the lease remembers from before the start.
    TimePoint started_at{};
};

// How a node puts messages into bytes: in the version that all members know.
struct Speech {
    wire::Dialects dialects;
    std::uint8_t version = 0;
    [[nodiscard]] Bytes encode(const wire::Message& message) const {
        return dialects.encode(message, version);
    }
};

}  // namespace vpnha::node
