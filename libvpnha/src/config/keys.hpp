// SPDX-License-Identifier: GPL-2.0-or-later
// Every key of vpnha.toml in one table: it drives the reader, its error messages, `vpnha config
// keys`, the example file and the manual page, so that none of them can miss a key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
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
};

// So that "secrets PATH" fits into the name of a compared item.
inline constexpr std::size_t kFilePathBytesMax = 240;

inline constexpr std::string_view kLogLevels[] = {"error", "warning", "info", "debug"};

// A value that was read; the member that its kind says is set.
struct Value {
    std::string text;
    std::int64_t number = 0;
    bool flag = false;
    std::chrono::milliseconds duration{};
    Ipv4Address address;
    std::vector<IpPrefix> prefixes;
    std::vector<IpAddress> addresses;
    std::vector<std::uint16_t> zones;
    std::vector<Ipv4Endpoint> servers;
    std::vector<HostPort> hosts;
    std::vector<std::string> paths;
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
    // What it means when another node has another value.
    wire::Weight weight;
    // Keys of sections before `gateway` ignore it.
    void (*store)(Config&, Gateway&, const Value&);
    std::string (*show)(const Config&, const Gateway&);
};

[[nodiscard]] const std::vector<Key>& all_keys();
[[nodiscard]] const Key* find_key(Section section, std::string_view name);

// Kind and bounds for a human: "number, 1 to 255".
[[nodiscard]] std::string describe_type(const Key& key);

}  // namespace vpnha::config
