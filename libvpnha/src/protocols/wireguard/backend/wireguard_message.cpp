// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/wireguard_message.hpp"

#include <linux/genetlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.hpp"
#include "host/netlink/netlink_values.hpp"

namespace vpnha::adapters {

namespace {

using wireguard::Endpoint;
using wireguard::PeerState;

static_assert(wireguard::kKeyBytes == WG_KEY_LEN);

constexpr std::array<std::uint8_t, WG_KEY_LEN> kNoKey{};
constexpr std::uint32_t kRemove = WGPEER_F_REMOVE_ME;
constexpr std::uint32_t kReplaceAllowed = WGPEER_F_REPLACE_ALLOWEDIPS;
constexpr std::uint32_t kUpdateOnly = WGPEER_F_UPDATE_ONLY;

nlmsghdr* begin(char* buffer, std::uint16_t family, std::uint8_t command, std::uint16_t flags,
                const std::string& device) {
    nlmsghdr* const message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = family;
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    auto* const header =
        static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(message, sizeof(genlmsghdr)));
    header->cmd = command;
    header->version = WG_GENL_VERSION;
    VPNHA_ASSERT(mnl_attr_put_strz_check(message, kWireguardRequestBytesMax, WGDEVICE_A_IFNAME,
                                         device.c_str()));
    return message;
}

bool put(nlmsghdr* message, std::uint16_t type, ByteView octets) {
    return mnl_attr_put_check(message, kWireguardRequestBytesMax, type, octets.size(),
                              octets.data());
}

bool put_u16(nlmsghdr* message, std::uint16_t type, std::uint16_t value) {
    return mnl_attr_put_u16_check(message, kWireguardRequestBytesMax, type, value);
}

bool put_u32(nlmsghdr* message, std::uint16_t type, std::uint32_t value) {
    return mnl_attr_put_u32_check(message, kWireguardRequestBytesMax, type, value);
}

template <class Address>
ByteView octets_of(const Address& address) {
    return {reinterpret_cast<const std::uint8_t*>(&address), sizeof address};
}

bool put_endpoint(nlmsghdr* message, const Endpoint& endpoint) {
    const ByteView octets = endpoint.address.octets();
    if (endpoint.address.is_v4()) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint.port);
        std::memcpy(&address.sin_addr, octets.data(), octets.size());
        return put(message, WGPEER_A_ENDPOINT, octets_of(address));
    }
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(endpoint.port);
    std::memcpy(&address.sin6_addr, octets.data(), octets.size());
    return put(message, WGPEER_A_ENDPOINT, octets_of(address));
}

bool put_net(nlmsghdr* message, const IpPrefix& net) {
    nlattr* const nest = mnl_attr_nest_start_check(message, kWireguardRequestBytesMax, 0);
    const bool fits = nest != nullptr &&
                      put_u16(message, WGALLOWEDIP_A_FAMILY, family_of(net.address)) &&
                      put(message, WGALLOWEDIP_A_IPADDR, net.address.octets()) &&
                      mnl_attr_put_u8_check(message, kWireguardRequestBytesMax,
                                            WGALLOWEDIP_A_CIDR_MASK, net.length);
    if (fits) {
        mnl_attr_nest_end(message, nest);
    }
    return fits;
}

bool put_nets(nlmsghdr* message, std::span<const IpPrefix> nets) {
    nlattr* const nest =
        mnl_attr_nest_start_check(message, kWireguardRequestBytesMax, WGPEER_A_ALLOWEDIPS);
    const bool fits = nest != nullptr && std::ranges::all_of(nets, [message](const IpPrefix& net) {
                          return put_net(message, net);
                      });
    if (fits) {
        mnl_attr_nest_end(message, nest);
    }
    return fits;
}

bool put_peer(nlmsghdr* message, const PeerChange& change) {
    const std::uint32_t flags = (change.is_removed ? kRemove : 0U) |
                                (change.only_if_there ? kUpdateOnly : 0U) |
                                (change.allowed ? kReplaceAllowed : 0U);
    if (!put(message, WGPEER_A_PUBLIC_KEY, change.key.octets) ||
        !put_u32(message, WGPEER_A_FLAGS, flags)) {
        return false;
    }
    const ByteView preshared = change.preshared.value_or(ByteView{});
    return (!change.preshared || put(message, WGPEER_A_PRESHARED_KEY,
                                     preshared.empty() ? ByteView(kNoKey) : preshared)) &&
           (!change.endpoint || put_endpoint(message, *change.endpoint)) &&
           (!change.keepalive_s ||
            put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, *change.keepalive_s)) &&
           (!change.allowed || put_nets(message, *change.allowed));
}

ByteView content_of(const nlattr* attribute) {
    return {static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute)),
            mnl_attr_get_payload_len(attribute)};
}

// Nothing when the attribute has another size.
template <class Value>
std::optional<Value> value_in(const nlattr* attribute) {
    const ByteView content = content_of(attribute);
    Value value{};
    if (content.size() != sizeof value) {
        return std::nullopt;
    }
    std::memcpy(&value, content.data(), sizeof value);
    return value;
}

std::optional<Endpoint> endpoint_in(const nlattr* attribute) {
    const auto v4 = value_in<sockaddr_in>(attribute);
    const auto v6 = value_in<sockaddr_in6>(attribute);
    std::optional<IpAddress> address;
    if (v4 && v4->sin_family == AF_INET) {
        address = ip_address_of(octets_of(v4->sin_addr));
    } else if (v6 && v6->sin6_family == AF_INET6) {
        address = ip_address_of(octets_of(v6->sin6_addr));
    }
    return address ? std::optional(Endpoint{*address, ntohs(v4 ? v4->sin_port : v6->sin6_port)})
                   : std::nullopt;
}

std::uint64_t unix_ms_of(const __kernel_timespec& time) {
    constexpr std::int64_t kMsPerSecond = 1000;
    constexpr std::int64_t kNsPerMs = 1'000'000;
    constexpr std::int64_t kSecondsMax = std::int64_t{1} << 40;
    return time.tv_sec < 0 || time.tv_sec > kSecondsMax
               ? 0
               : static_cast<std::uint64_t>(time.tv_sec * kMsPerSecond + time.tv_nsec / kNsPerMs);
}

// nullopt: the entry continues the nets of a peer in the message before.
std::optional<PeerState> peer_in(const nlattr* nest) {
    PeerState peer;
    bool has_key = false;
    bool has_counters = false;
    for_each_nested(nest, [&](const nlattr* attribute) {
        switch (mnl_attr_get_type(attribute)) {
            case WGPEER_A_PUBLIC_KEY:
                if (const auto key = wireguard::parse_key(content_of(attribute))) {
                    peer.key = *key;
                    has_key = true;
                }
                break;
            case WGPEER_A_ENDPOINT:
                peer.endpoint = endpoint_in(attribute);
                break;
            case WGPEER_A_LAST_HANDSHAKE_TIME:
                if (const auto time = value_in<__kernel_timespec>(attribute)) {
                    peer.traffic.last_handshake_unix_ms = unix_ms_of(*time);
                }
                break;
            case WGPEER_A_RX_BYTES:
                peer.traffic.octets_in = value_in<std::uint64_t>(attribute).value_or(0);
                has_counters = true;
                break;
            case WGPEER_A_TX_BYTES:
                peer.traffic.octets_out = value_in<std::uint64_t>(attribute).value_or(0);
                break;
            default:
                break;
        }
    });
    return has_key && has_counters ? std::optional(peer) : std::nullopt;
}

}  // namespace

PeerRequest::PeerRequest(char* buffer, std::uint16_t family, const std::string& device)
    : message_(begin(buffer, family, WG_CMD_SET_DEVICE, 0, device)) {}

PeerRequest& PeerRequest::set_device(const DeviceChange& change) {
    VPNHA_ASSERT(put(message_, WGDEVICE_A_PRIVATE_KEY, change.private_key) &&
                 put_u16(message_, WGDEVICE_A_LISTEN_PORT, change.listen_port) &&
                 put_u32(message_, WGDEVICE_A_FWMARK, change.mark) &&
                 put_u32(message_, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS));
    return *this;
}

bool PeerRequest::add(const PeerChange& change) {
    if (peers_ == nullptr) {
        peers_ = mnl_attr_nest_start_check(message_, kWireguardRequestBytesMax, WGDEVICE_A_PEERS);
        VPNHA_ASSERT(peers_ != nullptr);
    }
    nlattr* const nest = mnl_attr_nest_start_check(message_, kWireguardRequestBytesMax, 0);
    if (nest == nullptr) {
        return false;
    }
    if (!put_peer(message_, change)) {
        mnl_attr_nest_cancel(message_, nest);
        return false;
    }
    mnl_attr_nest_end(message_, nest);
    return true;
}

nlmsghdr* PeerRequest::finish() {
    if (peers_ != nullptr) {
        mnl_attr_nest_end(message_, peers_);
    }
    return message_;
}

nlmsghdr* put_device_listing(char* buffer, std::uint16_t family, const std::string& device) {
    return begin(buffer, family, WG_CMD_GET_DEVICE, NLM_F_DUMP, device);
}

void for_each_peer(const nlmsghdr* message,
                   const std::function<void(const wireguard::PeerState&)>& on_peer) {
    for_each_attribute(message, sizeof(genlmsghdr), [&on_peer](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == WGDEVICE_A_PEERS) {
            for_each_nested(attribute, [&on_peer](const nlattr* nest) {
                if (const auto peer = peer_in(nest)) {
                    on_peer(*peer);
                }
            });
        }
    });
}

}  // namespace vpnha::adapters
