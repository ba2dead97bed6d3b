// SPDX-License-Identifier: GPL-2.0-or-later
// Flows in the words of the kernel (nfnetlink, subsystem ctnetlink). libnetfilter_conntrack knows
// the same attributes, but reading an event with it takes 1.7 times as long, before a record is
// made of its object (tests/bench/flow_bench, docs/explain/performance.md). Here an event becomes a
// conntrack::Flow in one walk over its attributes.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <optional>

#include "services/flows/model/standby.hpp"
#include "services/flows/model/tracker.hpp"

namespace vpnha::adapters {

// Octets that a message of put_flow() takes at most: tuples of IPv6 twice (88 each), NAT twice
// (64), parent, and what is small.
inline constexpr std::size_t kFlowMessageBytesMax = 1024;

// An event, or an entry of a listing. nullopt: no flow of IPv4 or IPv6, or one that has less than
// its kernel always says.
[[nodiscard]] std::optional<conntrack::News> parse_flow_message(const nlmsghdr* message,
                                                                bool listed);

enum class FlowRequest : std::uint8_t {
    create,  // Fails when one of its tuples is there.
    change,  // What may change of an entry: not its tuples, NAT, parent or helper.
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
