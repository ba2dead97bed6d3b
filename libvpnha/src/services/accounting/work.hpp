// SPDX-License-Identifier: GPL-2.0-or-later
// Accounting by RADIUS: the keeper's requests to send and to read, and the results.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/accounting.hpp"
#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/ip.hpp"
#include "base/time.hpp"
#include "cluster/effects/protocol_work.hpp"

namespace vpnha::node {

// One Accounting-Request (RFC 2866).
struct AccountingRequest {
    enum class Kind : std::uint8_t { start, stop, interim };

    Kind kind{};
    bool is_ppp = true;                   // Otherwise packets may not be known.
    std::uint32_t tunnel_type = 0;        // RFC 2868 3.1; 0: not known any more, or it has none.
    std::string session;                  // Acct-Session-Id.
    std::string user;                     // Empty: not known.
    std::vector<Bytes> classes;           // Class, from the server that authenticated.
    Ipv4Address address;                  // The client's in the tunnel; 0.0.0.0: not known.
    std::optional<Ipv6Address> address6;  // The same of IPv6, where it has one.
    std::vector<RadiusPrefix> prefixes;   // From the server that authenticated.
    std::uint64_t identifier = 0;         // The client's, of IPv6CP; 0: none.
    IpAddress peer;                       // The client's outside.
    std::uint64_t delay_s = 0;  // Age of the event that it reports: start, end, or this reading.
    // The next three are not set at a start.
    Traffic traffic;
    std::uint64_t seconds = 0;  // Since the session began.
    EndCause cause{};           // At a stop.
};
// Sent to one accounting server after the other, until one answers. → AccountingAnswered
struct SendAccounting {
    GatewayId gateway;
    std::uint64_t ticket = 0;
    AccountingRequest request;
};
// The counters of this node's point-to-point devices. → TrafficRead
struct ReadTraffic {
    GatewayId gateway;
    std::uint64_t ticket = 0;
};

using AccountingWork = std::variant<SendAccounting, ReadTraffic>;
template <effects::OneOf<AccountingWork> What>
AccountingWork work_of(const What&);

enum class AccountingResult : std::uint8_t {
    answered,
    silent,  // No server answered in time, or could be reached.
    failed,  // The request cannot be made, or was answered with something else.
};
struct AccountingAnswered {
    std::uint64_t ticket = 0;
    AccountingResult result{};
    std::string server;  // The server that answered, or why none did.
    Duration took{};     // For an answer: since the last request to that server.
};
struct DeviceTraffic {
    Ipv4Address client;        // The address of the device's other end.
    std::uint32_t device = 0;  // Its number in this kernel.
    Traffic traffic;
};
struct TrafficRead {
    std::uint64_t ticket = 0;
    std::span<const DeviceTraffic> devices;  // Also empty when they could not be read.
};
// A resumed session gets that device, which has counted for others before.
struct DeviceReused {
    std::uint32_t device = 0;
    Traffic before;
};

using AccountingEvent = std::variant<AccountingAnswered, TrafficRead, DeviceReused>;
template <effects::OneOf<AccountingEvent> What>
AccountingEvent event_of(const What&);

}  // namespace vpnha::node
