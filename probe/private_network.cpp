// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/private_network.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "host/os/program_output.hpp"
#include "probe/ipv4_packet.hpp"

namespace vpnha::probe {

namespace {

constexpr const char* kDevice = "probe";
constexpr std::uint8_t kUdp = 17;
constexpr std::size_t kUdpHeaderBytes = 8;
constexpr std::uint16_t kFragmentMask = 0x3fff;  // More fragments follow, or came before.
constexpr std::size_t kPacketBytesMax = 65'535;
// How long the carrier may take to notice its end.
constexpr int kLookMs = 50;
constexpr std::chrono::seconds kIpPatience{5};

Error missing(const std::string& what, int error) {
    return {Errc::unsupported,
            system_error(what, error).detail + "; it needs root, /dev/net/tun and iproute2"};
}

Result<void> ip(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "/usr/sbin/ip");
    const auto done = adapters::output_of(arguments, kIpPatience, adapters::ErrorOutput::dropped);
    return done ? Result<void>{} : fail(Errc::unsupported, done.error().detail);
}

Result<adapters::UniqueFd> open_way(const Path& path, std::uint16_t port) {
    adapters::UniqueFd fd = adapters::open_network_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
    const SocketAddress to = to_socket_address({ipv4_of(path.server), port});
    if (!fd ||
        (path.source.size != 0 && ::bind(fd.get(), path.source.get(), path.source.size) != 0)) {
        return tl::unexpected(system_error("bind a UDP socket", errno));
    }
    if (::connect(fd.get(), to.get(), to.size) != 0) {
        return fail(Errc::unreachable, system_error("no way there", errno).detail);
    }
    return fd;
}

}  // namespace

std::optional<UdpPacket> parse_udp(ByteView packet, Ipv4Address to) {
    ByteReader reader(packet);
    const std::uint8_t first = reader.u8();
    reader.u8();
    const std::size_t length = reader.u16();
    reader.u16();
    const bool is_fragment = (reader.u16() & kFragmentMask) != 0;
    reader.u8();
    const std::uint8_t protocol = reader.u8();
    reader.take(6);
    const Ipv4Address destination{reader.u32()};
    const std::size_t header = (first & 0x0fU) * std::size_t{4};
    if (!reader.ok() || first >> 4 != 4 || header < kIpHeaderBytes || length > packet.size() ||
        length < header + kUdpHeaderBytes || is_fragment || protocol != kUdp || destination != to) {
        return std::nullopt;
    }
    ByteReader udp(packet.first(length).subspan(header));
    UdpPacket parsed;
    parsed.source = udp.u16();
    parsed.destination = udp.u16();
    const std::size_t size = udp.u16();
    udp.u16();
    if (size < kUdpHeaderBytes || size > length - header) {
        return std::nullopt;
    }
    parsed.payload = udp.take(size - kUdpHeaderBytes);
    return parsed;
}

Bytes encode_udp(Ipv4Endpoint from, Ipv4Endpoint to, ByteView payload) {
    const std::size_t size = kUdpHeaderBytes + payload.size();
    ByteWriter udp;
    udp.u16(from.port).u16(to.port).u16(static_cast<std::uint16_t>(size)).u16(0).bytes(payload);
    return encode_ipv4(kUdp, from.address, to.address, 0, udp.view());
}

Result<std::unique_ptr<PrivateNetwork>> PrivateNetwork::make(const Path& path) {
    std::unique_ptr<PrivateNetwork> network(new PrivateNetwork);
    network->server_ = ipv4_of(path.server);
    constexpr std::array<std::uint16_t, 2> kPorts{500, 4500};
    for (std::size_t i = 0; i < kPorts.size(); ++i) {
        network->ways_[i].port = kPorts[i];
        VPNHA_TRY(network->ways_[i].socket, open_way(path, kPorts[i]));
    }
    auto place = adapters::NetworkNamespace::make();
    if (!place) {
        return fail(Errc::unsupported, place.error().detail + "; it needs root");
    }
    network->place_ = std::move(*place);
    {
        const adapters::InNetwork within(network->place_);
        VPNHA_CHECK(network->open_tun());
    }
    network->carrier_ = std::thread([carried = network.get()] { carried->carry(); });
    return network;
}

PrivateNetwork::~PrivateNetwork() {
    is_over_ = true;
    if (carrier_.joinable()) {
        carrier_.join();
    }
}

Result<void> PrivateNetwork::open_tun() {
    tun_ = adapters::UniqueFd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    ifreq wish{};
    std::strncpy(wish.ifr_name, kDevice, sizeof wish.ifr_name - 1);
    wish.ifr_flags = IFF_TUN | IFF_NO_PI;
    if (!tun_ || ::ioctl(tun_.get(), TUNSETIFF, &wish) != 0) {
        return tl::unexpected(missing("a TUN device", errno));
    }
    VPNHA_CHECK(ip({"address", "add", to_string(kPrivateAddress) + "/32", "dev", kDevice}));
    VPNHA_CHECK(ip({"link", "set", kDevice, "up"}));
    return ip({"route", "add", "default", "dev", kDevice, "src", to_string(kPrivateAddress)});
}

void PrivateNetwork::carry() {
    while (!is_over_) {
        std::array<pollfd, 3> ready{{{tun_.get(), POLLIN, 0},
                                     {ways_[0].socket.get(), POLLIN, 0},
                                     {ways_[1].socket.get(), POLLIN, 0}}};
        ::poll(ready.data(), ready.size(), kLookMs);
        if (ready[0].revents != 0) {
            carry_out();
        }
        for (std::size_t i = 0; i < ways_.size(); ++i) {
            if (ready[i + 1].revents != 0) {
                carry_in(ways_[i]);
            }
        }
    }
}

// Packets that the sockets do not accept are lost, as on any path.
void PrivateNetwork::carry_out() {
    std::array<std::uint8_t, kPacketBytesMax> buffer;
    const ssize_t count = ::read(tun_.get(), buffer.data(), buffer.size());
    if (count <= 0) {
        return;
    }
    const auto packet = parse_udp(ByteView(buffer).first(static_cast<std::size_t>(count)), server_);
    for (Way& way : ways_) {
        if (packet && packet->destination == way.port) {
            way.client = packet->source;
            static_cast<void>(::send(way.socket.get(), packet->payload.data(),
                                     packet->payload.size(), MSG_NOSIGNAL));
        }
    }
}

void PrivateNetwork::carry_in(Way& way) {
    std::array<std::uint8_t, kPacketBytesMax> buffer;
    const ssize_t count = ::recv(way.socket.get(), buffer.data(),
                                 buffer.size() - kIpHeaderBytes - kUdpHeaderBytes, 0);
    if (count < 0 || way.client == 0) {
        return;
    }
    const Bytes packet = encode_udp({server_, way.port}, {kPrivateAddress, way.client},
                                    ByteView(buffer).first(static_cast<std::size_t>(count)));
    static_cast<void>(!::write(tun_.get(), packet.data(), packet.size()));
}

}  // namespace vpnha::probe
