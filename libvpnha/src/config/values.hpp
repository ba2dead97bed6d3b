// SPDX-License-Identifier: GPL-2.0-or-later
// Single values in vpnha.toml: durations, names,
// addresses; and the hint for a mistyped key.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/ip.hpp"
#include "config/config.hpp"

namespace vpnha::config {

// "50ms", "60s", "5m", "1h": an integer and its unit, no blanks.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// The shortest text that parses to the same duration.
[[nodiscard]] std::string to_text(std::chrono::milliseconds duration);

// Letters, digits, '-' and '_'; the first one is a letter or a digit.
[[nodiscard]] bool is_name(std::string_view text);
// Valid names of devices for the kernel, without those that tools cannot handle.
[[nodiscard]] bool is_interface_name(std::string_view text);

// Neither 0/8 nor 127/8, nor multicast, nor reserved; of IPv6 neither :: nor ::1, nor multicast,
// nor link-local: such an address may exist on each link, and the gate covers it on all of them.
[[nodiscard]] bool is_unicast(const IpAddress& address);
// fe80::/10: valid on one link, whose device has to be known.
[[nodiscard]] bool is_link_local(const IpAddress& address);
// Lower-case letters, digits and '-'.
[[nodiscard]] bool is_label(std::string_view text);
// "wit1.example.net", "192.0.2.7:5421", "[2001:db8::7]:5421"; `standard` replaces a missing port.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text,
                                                      std::uint16_t standard);
// The first address of a net, or in IPv4 the last: no host has them. Nets of two are all hosts.
[[nodiscard]] bool is_of_the_net(const IpPrefix& prefix);

// The candidate probably meant by `word`: at most a third of its letters differ.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string>& candidates);

}  // namespace vpnha::config
