// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/lease/lease_links.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "adapters/os/network_descriptor.hpp"
#include "adapters/os/unique_fd.hpp"
#include "base/limits.hpp"
#include "lease/replay_guard.hpp"

namespace vpnha::adapters {

namespace {

// The longest datagram is a handover with its counters; a longer one is no message of ours.
constexpr std::size_t kDatagramBytesMax = 2048;
// Of one link in one turn of the loop, so that a flood holds up nothing else: how many are compared
// with the key, and how many are read at all.
constexpr int kPerTurn = 64;
constexpr int kReadPerTurn = 512;
// A burst of 255 gateways with seven voters, 768 octets each as the kernel counts, has 1530 rounds;
// the kernel takes twice what it is asked for.
constexpr int kBufferBytes = 1 << 20;
// Class selector 6, network control: not behind the clients' traffic.
constexpr int kTrafficClass = IPTOS_CLASS_CS6;

struct Address {
    std::string name;  // As corosync.conf has it.
    sockaddr_storage storage{};
    socklen_t size = 0;
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
    [[nodiscard]] int family() const { return storage.ss_family; }
    [[nodiscard]] bool is_same(const Address& other) const {
        return size == other.size && std::memcmp(&storage, &other.storage, size) == 0;
    }
    // The same host, whichever port.
    [[nodiscard]] bool is_at(const Address& other) const {
        return family() == other.family() && std::ranges::equal(octets(), other.octets());
    }

  private:
    [[nodiscard]] ByteView octets() const {
        const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&storage);
        return family() == AF_INET
                   ? ByteView(bytes + offsetof(sockaddr_in, sin_addr), sizeof(in_addr))
                   : ByteView(bytes + offsetof(sockaddr_in6, sin6_addr), sizeof(in6_addr));
    }
};

// By the numbers of the links.
using LinkAddresses = std::map<std::size_t, Address>;
using NodeAddresses = std::map<NodeId, LinkAddresses>;

// How names become addresses. `flags` of getaddrinfo: with AI_NUMERICHOST nothing is asked of
// anybody.
struct Resolving {
    std::uint16_t port = 0;
    NameAddress name_address{};
    int flags = 0;
};

// What getaddrinfo is to look for; AF_UNSPEC: both.
int family_of(NameAddress taken) {
    switch (taken) {
        case NameAddress::ipv4:
            return AF_INET;
        case NameAddress::ipv6:
            return AF_INET6;
        case NameAddress::ipv4_first:
        case NameAddress::ipv6_first:
            break;
    }
    return AF_UNSPEC;
}

// Of those that were found, as Corosync chooses: the first one of the family.
const addrinfo* choose(const addrinfo* found, NameAddress taken) {
    const int family = taken == NameAddress::ipv4_first ? AF_INET : AF_INET6;
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
        if (each->ai_family == family) {
            return each;
        }
    }
    return found;
}

Result<Address> resolve(const std::string& name, const Resolving& how) {
    addrinfo hints{};
    hints.ai_family = family_of(how.name_address);
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV | how.flags;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(name.c_str(), std::to_string(how.port).c_str(), &hints, &found);
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
    const addrinfo* const chosen = choose(found, how.name_address);
    Address address;
    address.name = name;
    std::memcpy(&address.storage, chosen->ai_addr, chosen->ai_addrlen);
    address.size = chosen->ai_addrlen;
    return address;
}

// No datagram passes between addresses of two families.
Result<void> check_families(const NodeAddresses& all) {
    std::map<std::size_t, std::map<int, std::string>> names;
    for (const auto& [node, addresses] : all) {
        for (const auto& [number, address] : addresses) {
            names[number].emplace(address.family(), address.name);
        }
    }
    for (const auto& [number, by_family] : names) {
        if (by_family.size() > 1) {
            return fail(Errc::invalid_config,
                        fmt::format("link {} has an IPv4 address for '{}' and an IPv6 address for "
                                    "'{}'; write numbers of one family into corosync.conf",
                                    number, by_family.at(AF_INET), by_family.at(AF_INET6)));
        }
    }
    return {};
}

Result<NodeAddresses> resolve_all(const std::vector<ClusterNode>& nodes, const Resolving& how) {
    NodeAddresses all;
    for (const ClusterNode& node : nodes) {
        LinkAddresses& addresses = all[node.id];
        for (std::size_t number = 0; number < node.links.size(); ++number) {
            if (!node.links[number].empty()) {
                VPNHA_TRY(addresses[number], resolve(node.links[number], how));
            }
        }
    }
    VPNHA_CHECK(check_families(all));
    return all;
}

Result<UniqueFd> bind_link(const Address& address) {
    UniqueFd fd = open_network_socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK);
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
    // Without CAP_NET_ADMIN the node's default, which is less.
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof kBufferBytes);
    if (bind(fd.get(), address.get(), address.size) != 0) {
        return tl::unexpected(system_error(
            fmt::format("binding the lease's port at {} (is another program there? see 'port' "
                        "below [lease] in vpnha.toml)",
                        address.name),
            errno));
    }
    return fd;
}

}  // namespace

struct LeaseLinks::State {
    struct Link {
        Address address;
        UniqueFd fd;
    };

    State(QbLoop& event_loop, const LeaseLinksOptions& options, OnMessage callback, OnEcho on_echo)
        : loop(&event_loop),
          on_message(std::move(callback)),
          key(options.cluster_key),
          guard(options.self.instance),
          self(options.self),
          resolving{.port = options.port, .name_address = options.name_address, .flags = 0},
          gateways(options.gateways),
          voters(options.voters),
          background(event_loop),
          echoes(event_loop, std::move(on_echo)) {}

    QbLoop* loop;
    OnMessage on_message;
    lease::LeaseKey key;
    lease::ReplayGuard guard;
    lease::Sender self;
    Resolving resolving;
    std::vector<GatewayId> gateways;
    std::vector<NodeId> voters;
    std::map<std::size_t, Link> links;  // This node's, by their numbers.
    NodeAddresses peers;                // Of the other nodes of Corosync's list, and other voters.
    std::set<NodeId> listed;            // Corosync's list.
    std::uint64_t sequence = 0;
    LeaseCounters counters;
    std::uint64_t lists = 0;  // How often set_nodes() was called.
    Background background;
    EchoSockets echoes;

    // All of it, or nothing.
    Result<void> take_addresses(NodeAddresses all);
    Result<void> bind_links(const LinkAddresses& own);
    Result<void> open_missing(const LinkAddresses& own, std::map<std::size_t, Link>& opened);
    [[nodiscard]] bool is_removed_voter(NodeId node) const {
        return !listed.contains(node) && node != self.node && lease::is_in(voters, node);
    }
    // The peers are those that are listed, and removed voters.
    void choose_peers();
    [[nodiscard]] std::optional<std::size_t> link_of(int fd) const;
    [[nodiscard]] bool may_be_of_a_node(const Address& from, std::size_t link) const;
    void receive(int fd);
    void take(ByteView bytes, std::size_t link, const Address& from);
    void note_source(NodeId node, std::size_t link, const Address& from,
                     lease::ReplayGuard::Seen seen);
    void send(GatewayId gateway, NodeId to, const lease::Message& message);
    void say(NodeId to, const lease::Hello& hello);
    void greet(const lease::Sender& sender, const lease::Message& message);
};

Result<void> LeaseLinks::State::open_missing(const LinkAddresses& own,
                                             std::map<std::size_t, Link>& opened) {
    for (const auto& [number, address] : own) {
        const bool is_open = std::any_of(
            links.begin(), links.end(),
            [&wanted = address](const auto& link) { return link.second.address.is_same(wanted); });
        if (!is_open) {
            VPNHA_TRY(UniqueFd bound, bind_link(address));
            const int fd = bound.get();
            opened[number] = {address, std::move(bound)};
            // Ahead of what clients and records may keep this node busy with.
            VPNHA_CHECK(loop->watch(
                fd, [this, fd] { receive(fd); }, QbLoop::Priority::high));
        }
    }
    return {};
}

Result<void> LeaseLinks::State::bind_links(const LinkAddresses& own) {
    std::map<std::size_t, Link> next;
    if (Result<void> opened = open_missing(own, next); !opened) {
        for (const auto& [number, link] : next) {
            loop->unwatch(link.fd.get());
        }
        return opened;
    }
    for (auto& [was, link] : links) {
        // An address may have got another link's number.
        const auto kept = std::find_if(
            own.begin(), own.end(),
            [&known = link.address](const auto& each) { return known.is_same(each.second); });
        if (kept != own.end()) {
            next[kept->first] = std::move(link);
        } else {
            loop->unwatch(link.fd.get());
        }
    }
    links = std::move(next);
    return {};
}

Result<void> LeaseLinks::State::take_addresses(NodeAddresses all) {
    const auto own = all.extract(self.node);
    // A node that is taken out of the cluster speaks to those that are left as before.
    if (own && !own.mapped().empty()) {
        VPNHA_CHECK(bind_links(own.mapped()));
    }
    listed.clear();
    for (const auto& [node, addresses] : all) {
        listed.insert(node);
    }
    all.merge(peers);  // Only nodes that it does not name.
    peers = std::move(all);
    choose_peers();
    return {};
}

void LeaseLinks::State::choose_peers() {
    std::erase_if(peers, [this](const auto& peer) {
        return !listed.contains(peer.first) && !is_removed_voter(peer.first);
    });
    for (const NodeId node : voters) {
        if (is_removed_voter(node)) {
            peers.try_emplace(node);
        }
    }
    std::vector<NodeId> senders;
    for (const auto& [node, addresses] : peers) {
        senders.push_back(node);
    }
    guard.set_senders(senders);
}

std::optional<std::size_t> LeaseLinks::State::link_of(int fd) const {
    for (const auto& [number, link] : links) {
        if (link.fd.get() == fd) {
            return number;
        }
    }
    return std::nullopt;
}

bool LeaseLinks::State::may_be_of_a_node(const Address& from, std::size_t link) const {
    return std::any_of(peers.begin(), peers.end(), [&](const auto& peer) {
        const auto& [node, addresses] = peer;
        return std::any_of(addresses.begin(), addresses.end(),
                           [&from](const auto& each) { return each.second.is_at(from); }) ||
               // Where it sends from is learned from what it sends.
               (is_removed_voter(node) && !addresses.contains(link));
    });
}

void LeaseLinks::State::receive(int fd) {
    const std::optional<std::size_t> link = link_of(fd);
    if (!link) {
        return;
    }
    std::array<std::uint8_t, kDatagramBytesMax> buffer{};
    int checked = 0;
    for (int read = 0; read < kReadPerTurn && checked < kPerTurn; ++read) {
        Address from;
        from.size = sizeof from.storage;
        const ssize_t got = recvfrom(fd, buffer.data(), buffer.size(), MSG_TRUNC,
                                     reinterpret_cast<sockaddr*>(&from.storage), &from.size);
        if (got < 0) {
            return;  // Nothing more, or what an ICMP error left.
        }
        ++counters.received;
        if (!may_be_of_a_node(from, *link)) {
            ++counters.strangers;
            continue;
        }
        ++checked;
        if (static_cast<std::size_t>(got) > buffer.size()) {
            ++counters.malformed;
            continue;
        }
        take({buffer.data(), static_cast<std::size_t>(got)}, *link, from);
    }
}

void LeaseLinks::State::note_source(NodeId node, std::size_t link, const Address& from,
                                    lease::ReplayGuard::Seen seen) {
    // What is not proven may be a copy that somebody else sends.
    const bool is_proven =
        seen == lease::ReplayGuard::Seen::fresh || seen == lease::ReplayGuard::Seen::new_life;
    if (!is_removed_voter(node) || (!is_proven && guard.hears(node))) {
        return;
    }
    peers[node][link] = from;
}

void LeaseLinks::State::take(ByteView bytes, std::size_t link, const Address& from) {
    const Result<lease::Datagram> datagram = lease::parse_datagram(bytes, key);
    if (!datagram) {
        ++(datagram.error().code == Errc::permission ? counters.forged : counters.malformed);
        return;
    }
    const lease::Sender& sender = datagram->sender;
    const auto* const hello = std::get_if<lease::Hello>(&datagram->message);
    const lease::ReplayGuard::Seen seen =
        guard.on_datagram(sender, datagram->sequence, datagram->message);
    note_source(sender.node, link, from, seen);
    switch (seen) {
        case lease::ReplayGuard::Seen::replayed:
            ++counters.replayed;
            return;
        case lease::ReplayGuard::Seen::unproven:
            ++counters.unproven;
            greet(sender, datagram->message);
            return;
        case lease::ReplayGuard::Seen::new_life:
        case lease::ReplayGuard::Seen::fresh:
            break;
    }
    if (hello == nullptr) {
        on_message(datagram->gateway, sender, datagram->message);
        return;
    }
    greet(sender, datagram->message);
    for (const GatewayId gateway : gateways) {
        on_message(gateway, sender, datagram->message);
    }
}

void LeaseLinks::State::send(GatewayId gateway, NodeId to, const lease::Message& message) {
    const auto peer = peers.find(to);
    if (peer == peers.end()) {
        return;
    }
    const Bytes bytes = lease::encode({gateway, self, ++sequence, message}, key);
    bool sent = false;
    for (const auto& [number, link] : links) {
        const auto address = peer->second.find(number);
        sent =
            (address != peer->second.end() && link.address.family() == address->second.family() &&
             sendto(link.fd.get(), bytes.data(), bytes.size(), 0, address->second.get(),
                    address->second.size) >= 0) ||
            sent;
    }
    ++(sent ? counters.sent : counters.unsent);
}

// Of all gateways: its datagram names the first one.
void LeaseLinks::State::say(NodeId to, const lease::Hello& hello) {
    if (!gateways.empty()) {
        send(gateways.front(), to, hello);
    }
}

void LeaseLinks::State::greet(const lease::Sender& sender, const lease::Message& message) {
    if (const auto hello =
            guard.greeting(sender.node, sender, std::get_if<lease::Hello>(&message))) {
        say(sender.node, *hello);
    }
}

LeaseLinks::LeaseLinks(std::unique_ptr<State> state) : state_(std::move(state)) {}

LeaseLinks::~LeaseLinks() {
    for (const auto& [number, link] : state_->links) {
        state_->loop->unwatch(link.fd.get());
    }
}

Result<std::unique_ptr<LeaseLinks>> LeaseLinks::open(QbLoop& loop, const LeaseLinksOptions& options,
                                                     OnMessage on_message, OnEcho on_echo) {
    std::unique_ptr<LeaseLinks> opened(new LeaseLinks(
        std::make_unique<State>(loop, options, std::move(on_message), std::move(on_echo))));
    VPNHA_TRY(auto addresses, resolve_all(options.nodes, opened->state_->resolving));
    VPNHA_CHECK(opened->state_->take_addresses(std::move(addresses)));
    if (opened->state_->links.empty()) {
        return fail(Errc::invalid_config,
                    fmt::format("corosync.conf has no ring0_addr for this node (nodeid {})",
                                options.self.node.value));
    }
    for (const auto& [node, links] : opened->state_->peers) {
        opened->state_->say(node, opened->state_->guard.greeting(node));
    }
    return opened;
}

void LeaseLinks::set_nodes(const std::vector<ClusterNode>& nodes, Background::Done done) {
    State* const state = state_.get();
    const std::uint64_t list = ++state->lists;
    Resolving numeric = state->resolving;
    numeric.flags = AI_NUMERICHOST;
    if (auto numbers = resolve_all(nodes, numeric)) {
        done(state->take_addresses(std::move(*numbers)));
        return;
    }
    const auto found = std::make_shared<NodeAddresses>();
    const Result<void> begun = state->background.run(
        [nodes, found, how = state->resolving]() -> Result<void> {
            VPNHA_TRY(*found, resolve_all(nodes, how));
            return {};
        },
        [state, list, found, done](const Result<void>& resolved) {
            if (list == state->lists) {
                done(resolved.and_then([&] { return state->take_addresses(std::move(*found)); }));
            }
        });
    if (!begun) {
        done(begun);
    }
}

void LeaseLinks::set_voters(const std::vector<NodeId>& voters) {
    if (voters != state_->voters) {
        state_->voters = voters;
        state_->choose_peers();
    }
}

void LeaseLinks::send(GatewayId gateway, NodeId to, const lease::Message& message) {
    state_->send(gateway, to, message);
}

// ICMP has no ports: those of the addresses are not looked at.
void LeaseLinks::ask_for_echo(NodeId node) {
    const auto peer = state_->peers.find(node);
    if (peer == state_->peers.end()) {
        return;
    }
    for (const auto& [number, address] : peer->second) {
        state_->echoes.ask(node, *address.get(), address.size);
    }
}

const LeaseCounters& LeaseLinks::counters() const {
    return state_->counters;
}

Result<lease::Instance> new_instance() {
    std::uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number) {
        return tl::unexpected(system_error("getrandom", errno));
    }
    return lease::Instance{number % limits::kCounterMax + 1};
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
