// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/sockets/udp_sockets.hpp"

#include <fmt/format.h>

#include "host/os/text_file.hpp"

namespace vpnha::adapters {

namespace {

// The start of the endpoint's line, after the line's number. The kernel prints the address as the
// host-order number of its network-order octets.
std::string local_column(const Ipv4Endpoint& endpoint) {
    return fmt::format(": {:08X}:{:04X} ", __builtin_bswap32(endpoint.address.value),
                       endpoint.port);
}

bool lists(const std::string& wanted) {
    return read_text("/proc/thread-self/net/udp").find(wanted) != std::string::npos;
}

}  // namespace

bool is_udp_listener(const Ipv4Endpoint& endpoint) {
    return lists(local_column(endpoint) + "00000000:0000 ");
}

bool is_udp_bound(const Ipv4Endpoint& endpoint) {
    return lists(local_column(endpoint));
}

}  // namespace vpnha::adapters
