// SPDX-License-Identifier: GPL-2.0-or-later
// The record of a session's account: what the node that serves
// reports to an accounting server. It exists until a server
// has answered the Stop, so it may outlive the session by days.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "base/accounting.hpp"
#include "base/ids.hpp"
#include "base/ip.hpp"
#include "base/session_identity.hpp"
#include "cluster/wire/record_key.hpp"

namespace vpnha::keepers {

// Made once, by the node that negotiated the session. Epochs are never used twice, and the node
// counts within one. The time keeps it unique when a cluster loses its memory of the epochs.
struct AccountId {
    std::uint32_t began_s = 0;  // Unix time of the session's begin.
    Epoch epoch;
    std::uint32_t count = 0;  // Within the epoch.
    friend auto operator<=>(const AccountId&, const AccountId&) = default;
};

// A device's counters at their last reading.
struct CountedDevice {
    NodeId node;
    std::uint32_t index = 0;  // The device's number in that node's kernel.
    Traffic traffic;
    friend bool operator==(const CountedDevice&, const CountedDevice&) = default;
};

struct AccountEnd {
    EndCause cause{};
    std::uint64_t unix_ms = 0;  // By the gateway's clock.
    friend bool operator==(const AccountEnd&, const AccountEnd&) = default;
};

struct AccountRecord {
    AccountId id;
    wire::RecordKey session;          // It need not exist any more.
    bool is_ppp = true;               // Otherwise its keeper counts it.
    std::string user;                 // As authenticated; may be empty.
    std::vector<Bytes> classes;       // Of the Access-Accept; at most limits::kRadiusClassesMax.
    Ipv4Address address;              // The client's in the tunnel; 0.0.0.0: not known.
    IpAddress peer;                   // The client's outside.
    std::uint64_t began_unix_ms = 0;  // By the gateway's clock.
    bool started = false;             // A server has answered the Start.
    std::uint32_t interim_s = 0;      // Of the Access-Accept; 0: none.
    std::optional<Ipv6Address> address6;  // The client's in the tunnel, where it is known.
    std::vector<RadiusPrefix> prefixes;   // Of the Access-Accept; at most kRadiusPrefixesMax.
    std::uint64_t identifier = 0;         // The client's, of IPv6CP; 0: it is not open.
    std::uint32_t reported_seconds = 0;   // The session's time in the last report to a server.
    std::optional<AccountEnd> end;
    Traffic total;                        // Over all nodes so far.
    std::optional<CountedDevice> device;  // The part of it in `total`. PPP.
    friend bool operator==(const AccountRecord&, const AccountRecord&) = default;
};

[[nodiscard]] wire::RecordKey record_key_of(const AccountId& id);
// Without the id, which is the key.
[[nodiscard]] Bytes encode_account(const AccountRecord& record);
[[nodiscard]] Result<AccountRecord> parse_account(const wire::RecordKey& key, ByteView payload);

// Acct-Session-Id; unique over all gateways of a cluster.
[[nodiscard]] std::string session_id_of(GatewayId gateway, const AccountId& id);
// The account of that name; nullopt: no gateway of any cluster has made it.
struct AccountName {
    GatewayId gateway;
    AccountId id;
};
[[nodiscard]] std::optional<AccountName> parse_session_id(const std::string& text);
// Whether all attributes match the session, leaving out an Acct-Session-Id.
[[nodiscard]] bool fits(const SessionIdentity& identity, const AccountRecord& record);

// Adds the traffic of `device` since its last reading; at its first one, since `before`.
void count_traffic(AccountRecord& record, const CountedDevice& device, const Traffic& before);

}  // namespace vpnha::keepers
