// SPDX-License-Identifier: GPL-2.0-or-later
// Flows as messages of the kernel (nfnetlink, subsystem ctnetlink). libnetfilter_conntrack knows
// the same attributes, but takes 1.7 times as long to read an event, before a record is made of its
// object (tests/bench/flow_bench, docs/explain/performance.md). Here one pass over the attributes
// makes a conntrack::Flow of an event.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <optional>

#include "services/flows/model/standby.hpp"
#include "services/flows/model/tracker.hpp"

namespace vpnha::adapters {

// The most octets of a message of put_flow(): tuples of IPv6 twice (88 each), NAT twice (64), the
// parent, and small attributes.
inline constexpr std::size_t kFlowMessageBytesMax = 1024;

// An event, or an entry of a listing. nullopt: no flow of IPv4 or IPv6, or without an attribute
// that its kernel always sends.
[[nodiscard]] std::optional<conntrack::News> parse_flow_message(const nlmsghdr* message,
                                                                bool listed);

enum class FlowRequest : std::uint8_t {
    create,  // Fails when one of its tuples exists.
    change,  // The parts of an entry that may change: not its tuples, NAT, parent or helper.
};
// Writes the request to `buffer`, which has room for kFlowMessageBytesMax.
nlmsghdr* put_flow(char* buffer, const conntrack::Flow& flow, FlowRequest request);

nlmsghdr* put_timeout(char* buffer, const conntrack::Timeout& timeout);

enum class KeyRequest : std::uint8_t { find, remove };
nlmsghdr* put_key(char* buffer, const conntrack::FlowKey& key, KeyRequest request);
// For the entry whose replies have this tuple: `key` has its protocol and zone.
nlmsghdr* put_reply(char* buffer, const conntrack::FlowKey& key, const conntrack::Tuple& reply,
                    KeyRequest request);
// A listing of the whole table.
nlmsghdr* put_listing(char* buffer);

}  // namespace vpnha::adapters
