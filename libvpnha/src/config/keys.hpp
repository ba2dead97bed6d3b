// SPDX-License-Identifier: GPL-2.0-or-later
// What a key of vpnha.toml is, and the keys that each configuration has.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cluster/wire/message.hpp"
#include "config/config.hpp"
#include "config/sections.hpp"

namespace vpnha::config {

// How a value is written, and what `min` and `max` of its key count.
enum class Kind {
    label,             // Lower-case letters, digits and '-', or nothing; its length.
    name,              // Letters, digits, '-' and '_'; its length.
    path,              // An absolute path; its length.
    interface,         // The name of a network device; its length.
    log_level,         // One of kLogLevels.
    number,            // An integer; itself.
    flag,              // true or false.
    duration,          // A string like "50ms", "60s"; its milliseconds.
    duration_or_auto,  // The same, or "auto".
    address,           // A unicast IPv4 address.
    vips,              // Unicast addresses with the prefix length of their net; how many.
    pools,             // Nets; how many.
    neighbours,        // Unicast addresses of a link, each once; how many.
    nets,              // Nets of flows, however large; how many.
    zones,             // Zones of connection tracking, each once; how many.
    servers,           // Unicast IPv4 addresses with a port, each once; how many.
    hosts,             // Names or addresses, with a UDP port or without, each once; how many.
    paths,             // Absolute paths of at most kFilePathBytesMax bytes; how many.
    rate,              // A string like "20M/5M".
    user_rates,        // Names, each once, a blank and a rate; how many.
};

// So that "secrets PATH" fits into the name of a compared item.
inline constexpr std::size_t kFilePathBytesMax = 240;

inline constexpr std::string_view kLogLevels[] = {"error", "warning", "info", "debug"};

// The value read for a key, in the type of its kind; "auto" is a text.
using Value =
    std::variant<std::string, std::int64_t, bool, std::chrono::milliseconds, Ipv4Address,
                 std::vector<IpPrefix>, std::vector<IpAddress>, std::vector<std::uint16_t>,
                 std::vector<Ipv4Endpoint>, std::vector<HostPort>, std::vector<std::string>, Rate,
                 std::vector<UserRate>>;

// Where a key's value is stored. Keys of tables that occur once ignore the gateway.
struct Place {
    void (*store)(Config&, Gateway&, const Value&);
    std::string (*show)(const Config&, const Gateway&);
};

struct Key {
    Section section;
    std::string_view name;
    Kind kind;
    std::int64_t min;
    std::int64_t max;
    std::string_view fallback;  // As written in the file; empty: the key must be given.
    std::string_view example;   // As written in the file.
    std::string_view help;
    // The weight of a difference from another node's value.
    wire::Weight weight;
    Place place;
};

// In the order of the file: the keys before those of the protocols, and the keys after them.
[[nodiscard]] std::vector<Key> keys_of_all();
[[nodiscard]] std::vector<Key> conntrack_keys();

// Kind and bounds for a human: "number, 1 to 255".
[[nodiscard]] std::string describe_type(const Key& key);

}  // namespace vpnha::config
