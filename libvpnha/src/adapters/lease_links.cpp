// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/lease_links.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <utility>

#include "adapters/log.hpp"
#include "adapters/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

// The longest datagram is a handover with its counters; a longer one is no message of ours.
constexpr std::size_t kDatagramBytesMax = 2048;
// Of one link in one turn of the loop, so that a flood holds up nothing else.
constexpr int kPerTurn = 64;
// Class selector 6, network control: not behind the clients' traffic.
constexpr int kTrafficClass = IPTOS_CLASS_CS6;

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] int family() const { return storage.ss_family; }
};

Result<Address> resolve(const std::string& name, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> kept(found, [](addrinfo* list) {
        if (list != nullptr) {
            freeaddrinfo(list);
        }
    });
    if (error != 0) {
        return fail(Errc::unreachable,
                    fmt::format("corosync.conf names a link '{}', which cannot be resolved: {}",
                                name, gai_strerror(error)));
    }
    Address address;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
    return address;
}

Result<UniqueFd> bind_link(const std::string& name, const Address& address) {
    UniqueFd fd(socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
        return tl::unexpected(system_error("a socket for the lease", errno));
    }
    const int on = 1;
    const bool v4 = address.family() == AF_INET;
    // The link may be down while this node starts; its address comes with it.
    setsockopt(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND, &on,
               sizeof on);
    setsockopt(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &kTrafficClass,
               sizeof kTrafficClass);
    if (bind(fd.get(), address.get(), address.size) != 0) {
        return tl::unexpected(system_error(
            fmt::format("binding the lease's port at {} (is another program there? see 'port' "
                        "below [lease] in vpnha.toml)",
                        name),
            errno));
    }
    return fd;
}

}  // namespace

struct LeaseLinks::State {
    struct Link {
        UniqueFd fd;
        int family = AF_UNSPEC;
    };

    State(QbLoop& event_loop, const LeaseLinksOptions& options, LeaseFiles& lease_files,
          OnMessage callback)
        : loop(&event_loop),
          files(&lease_files),
          on_message(std::move(callback)),
          key(options.cluster_key),
          guard(lease_files.known()),
          self(options.self),
          port(options.port),
          gateways(options.gateways) {}

    QbLoop* loop;
    LeaseFiles* files;
    OnMessage on_message;
    lease::LeaseKey key;
    lease::ReplayGuard guard;
    lease::Sender self;
    std::uint16_t port;
    std::vector<GatewayId> gateways;
    std::vector<Link> links;
    std::map<NodeId, std::vector<Address>> peers;  // Their links, in this node's order.
    std::uint64_t sequence = 0;
    LeaseCounters counters;

    Result<void> open_links(const ClusterNode& own);
    void receive(const Link& link);
    void take(ByteView bytes);
    void send(GatewayId gateway, NodeId to, const lease::Message& message);
    void hello(NodeId to);
};

Result<void> LeaseLinks::State::open_links(const ClusterNode& own) {
    for (const std::string& name : own.links) {
        VPNHA_TRY(const Address address, resolve(name, port));
        VPNHA_TRY(UniqueFd fd, bind_link(name, address));
        links.push_back({std::move(fd), address.family()});
    }
    for (const Link& link : links) {
        // Ahead of what clients and records may keep this node busy with.
        VPNHA_CHECK(loop->watch(
            link.fd.get(), [this, &link] { receive(link); }, QbLoop::Priority::high));
    }
    return {};
}

void LeaseLinks::State::receive(const Link& link) {
    std::array<std::uint8_t, kDatagramBytesMax> buffer{};
    for (int i = 0; i < kPerTurn; ++i) {
        const ssize_t got = recv(link.fd.get(), buffer.data(), buffer.size(), MSG_TRUNC);
        if (got < 0) {
            return;  // Nothing more, or what an ICMP error left.
        }
        if (static_cast<std::size_t>(got) > buffer.size()) {
            ++counters.malformed;
            continue;
        }
        take({buffer.data(), static_cast<std::size_t>(got)});
    }
}

void LeaseLinks::State::take(ByteView bytes) {
    ++counters.received;
    const Result<lease::Datagram> datagram = lease::parse_datagram(bytes, key);
    if (!datagram) {
        ++(datagram.error().code == Errc::permission ? counters.forged : counters.malformed);
        return;
    }
    switch (guard.on_datagram(datagram->sender, datagram->sequence)) {
        case lease::ReplayGuard::Seen::replayed:
            ++counters.replayed;
            return;
        case lease::ReplayGuard::Seen::new_instance:
            if (const Result<void> saved = files->save_known(guard.known()); !saved) {
                write_log(node::Level::error, saved.error().detail);
                return;
            }
            hello(datagram->sender.node);
            break;
        case lease::ReplayGuard::Seen::fresh:
            break;
    }
    on_message(datagram->gateway, datagram->sender, datagram->message);
}

void LeaseLinks::State::send(GatewayId gateway, NodeId to, const lease::Message& message) {
    const auto peer = peers.find(to);
    if (peer == peers.end()) {
        return;
    }
    const Bytes bytes = lease::encode({gateway, self, ++sequence, message}, key);
    bool sent = false;
    for (std::size_t i = 0; i < links.size() && i < peer->second.size(); ++i) {
        const Address& address = peer->second[i];
        sent = (links[i].family == address.family() &&
                sendto(links[i].fd.get(), bytes.data(), bytes.size(), 0, address.get(),
                       address.size) >= 0) ||
               sent;
    }
    ++(sent ? counters.sent : counters.unsent);
}

void LeaseLinks::State::hello(NodeId to) {
    for (const GatewayId gateway : gateways) {
        send(gateway, to, lease::Hello{});
    }
}

LeaseLinks::LeaseLinks(std::unique_ptr<State> state) : state_(std::move(state)) {}

LeaseLinks::~LeaseLinks() {
    for (const State::Link& link : state_->links) {
        state_->loop->unwatch(link.fd.get());
    }
}

Result<std::unique_ptr<LeaseLinks>> LeaseLinks::open(QbLoop& loop, const LeaseLinksOptions& options,
                                                     LeaseFiles& files, OnMessage on_message) {
    std::unique_ptr<LeaseLinks> opened(
        new LeaseLinks(std::make_unique<State>(loop, options, files, std::move(on_message))));
    for (const ClusterNode& node : options.nodes) {
        if (node.id == options.self.node) {
            VPNHA_CHECK(opened->state_->open_links(node));
        }
    }
    if (opened->state_->links.empty()) {
        return fail(Errc::invalid_config,
                    fmt::format("corosync.conf has no ring0_addr for this node (nodeid {})",
                                options.self.node.value));
    }
    VPNHA_CHECK(opened->set_nodes(options.nodes));
    for (const auto& [node, addresses] : opened->state_->peers) {
        opened->state_->hello(node);
    }
    return opened;
}

Result<void> LeaseLinks::set_nodes(const std::vector<ClusterNode>& nodes) {
    std::map<NodeId, std::vector<Address>> peers;
    std::vector<NodeId> senders;
    for (const ClusterNode& node : nodes) {
        if (node.id == state_->self.node) {
            continue;
        }
        senders.push_back(node.id);
        for (const std::string& name : node.links) {
            VPNHA_TRY(const Address address, resolve(name, state_->port));
            peers[node.id].push_back(address);
        }
    }
    state_->peers = std::move(peers);
    state_->guard.set_senders(senders);
    return {};
}

void LeaseLinks::send(GatewayId gateway, NodeId to, const lease::Message& message) {
    state_->send(gateway, to, message);
}

const LeaseCounters& LeaseLinks::counters() const {
    return state_->counters;
}

Result<lease::BootId> read_boot_id() {
    static constexpr const char* kPath = "/proc/sys/kernel/random/boot_id";
    std::string text;
    std::ifstream(kPath) >> text;
    lease::BootId boot;
    std::size_t digits = 0;
    for (const char each : text) {
        const std::string_view hex = "0123456789abcdef";
        const std::size_t value = hex.find(each);
        if (value != std::string_view::npos && digits < 2 * boot.octets.size()) {
            boot.octets[digits / 2] =
                static_cast<std::uint8_t>(boot.octets[digits / 2] << 4 | value);
            ++digits;
        }
    }
    if (digits != 2 * boot.octets.size()) {
        return fail(Errc::unsupported, fmt::format("{} does not hold a boot id", kPath));
    }
    return boot;
}

}  // namespace vpnha::adapters
