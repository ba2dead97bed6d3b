// SPDX-License-Identifier: GPL-2.0-or-later
// Notifies the neighbours of a device, and the switches between, of an address's new owner.
//
// Gratuitous ARP (RFC 5227 3): request and reply, because peers differ in which of the two updates
// their caches. Unsolicited neighbour advertisements (RFC 4861 7.2.6): to all nodes, with the
// override flag, because the caches hold the former owner's address.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

struct sock_fprog;

namespace vpnha::adapters {

[[nodiscard]] std::string to_string(const MacAddress& mac);

enum class ArpOperation : std::uint16_t { request = 1, reply = 2 };

// A station in ARP packets.
struct ArpStation {
    MacAddress mac{};
    Ipv4Address address;
};

// Whole Ethernet frames: a broadcast ARP packet of the sender; and an ICMPv6 message to a multicast
// group of the link, whose checksum is still 0.
[[nodiscard]] Bytes encode_arp(ArpOperation operation, const ArpStation& sender,
                               const ArpStation& target);
[[nodiscard]] Bytes encode_icmpv6(const MacAddress& sender, const Ipv6Address& source,
                                  const Ipv6Address& group, ByteWriter message);

[[nodiscard]] Bytes encode_gratuitous_arp(const MacAddress& sender, Ipv4Address address,
                                          ArpOperation operation);
// To ff02::1. `is_router`: as the kernel answers for the address (RFC 4861 4.4); neighbours drop a
// router that announces itself as none.
[[nodiscard]] Bytes encode_neighbour_advertisement(const MacAddress& sender,
                                                   const Ipv6Address& address, bool is_router);

// A raw socket of one interface.
class PacketSocket {
  public:
    // Receives frames of an Ethernet `type` (0: none), through `filter` if there is one. Error
    // not_found: there is no such interface.
    [[nodiscard]] static Result<PacketSocket> open(const std::string& interface,
                                                   std::uint16_t type = 0,
                                                   const sock_fprog* filter = nullptr);

    // False: a device without ARP.
    [[nodiscard]] bool has_neighbours() const { return has_neighbours_; }
    [[nodiscard]] const MacAddress& mac() const { return mac_; }
    [[nodiscard]] int fd() const { return fd_.get(); }
    // `what` opens the detail of an error.
    [[nodiscard]] Result<void> send_frame(ByteView frame, std::string_view what) const;

  private:
    UniqueFd fd_;
    MacAddress mac_{};
    bool has_neighbours_ = false;
};

// Two ARP frames for each IPv4 address and one advertisement for each IPv6 address, out of
// `interface`. A device without ARP has no caches to update: a success. The frames pass tc egress,
// so a gate there has to be open.
Result<void> announce_addresses(const std::string& interface,
                                const std::vector<IpPrefix>& addresses);

}  // namespace vpnha::adapters
