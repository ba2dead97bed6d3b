// SPDX-License-Identifier: GPL-2.0-or-later
// WireGuard devices and peers as the kernel sends and receives them over generic netlink
// (linux/wireguard.h).
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "protocols/wireguard/model/peer_record.hpp"

namespace vpnha::adapters {

// Room for any request: a peer with limits::kWireguardAllowedIpsMax nets of IPv6, 40 octets each;
// or 256 keepalives, 60 octets each.
inline constexpr std::size_t kWireguardRequestBytesMax = std::size_t{16} * 1024;

// The changes of a peer.
struct PeerChange {
    wireguard::PublicKey key;
    bool is_removed = false;
    bool only_if_there = false;
    std::optional<ByteView> preshared{};  // 32 octets; none: the key is removed.
    std::optional<wireguard::Endpoint> endpoint{};
    std::optional<std::uint16_t> keepalive_s{};
    std::optional<std::span<const IpPrefix>> allowed{};  // Replaces those that it has.
};

// A device without peers.
struct DeviceChange {
    ByteView private_key;  // 32 octets.
    std::uint16_t listen_port = 0;
    std::uint32_t mark = 0;
};

// A request WG_CMD_SET_DEVICE under construction, in the caller's memory.
class PeerRequest {
  public:
    // `buffer` has room for kWireguardRequestBytesMax, and outlives it.
    PeerRequest(char* buffer, std::uint16_t family, const std::string& device);

    // Removes all earlier peers.
    PeerRequest& set_device(const DeviceChange& change);
    // False: there is no room for it, and the request is unchanged.
    [[nodiscard]] bool add(const PeerChange& change);
    [[nodiscard]] nlmsghdr* finish();

  private:
    nlmsghdr* message_;
    nlattr* peers_ = nullptr;
};

// The request for a listing of the device and its peers; `buffer` as above.
[[nodiscard]] nlmsghdr* put_device_listing(char* buffer, std::uint16_t family,
                                           const std::string& device);
// The peers in one message of a listing.
void for_each_peer(const nlmsghdr* message,
                   const std::function<void(const wireguard::PeerState&)>& on_peer);

}  // namespace vpnha::adapters
