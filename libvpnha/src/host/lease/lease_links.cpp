// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/lease_links.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "host/os/unique_fd.hpp"

namespace vpnha::adapters {

namespace {

// By the numbers of the links.
using LinkAddresses = std::map<std::size_t, SocketAddress>;
using NodeAddresses = std::map<NodeId, LinkAddresses>;

// How names become addresses. `flags` of getaddrinfo: with AI_NUMERICHOST no name server is
// queried.
struct Resolving {
    std::uint16_t port = 0;
    NameAddress name_address{};
    int flags = 0;
};

// The family to search for by getaddrinfo; AF_UNSPEC: both.
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

// Selects among the found addresses as Corosync does: the first one of the family.
Result<SocketAddress> resolve(const std::string& name, const Resolving& how) {
    const auto found = find_addresses(name, how.port, family_of(how.name_address), how.flags);
    if (!found) {
        return fail(Errc::unreachable,
                    fmt::format("corosync.conf names a link '{}', which cannot be resolved: {}",
                                name, found.error().detail));
    }
    const int family = how.name_address == NameAddress::ipv4_first ? AF_INET : AF_INET6;
    const auto chosen = std::ranges::find_if(
        *found, [family](const auto& each) { return each.family() == family; });
    return chosen == found->end() ? found->front() : *chosen;
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

Result<UniqueFd> bind_link(const SocketAddress& address) {
    VPNHA_TRY(UniqueFd fd, open_lease_socket(address.family()));
    const int on = 1;
    const bool v4 = address.family() == AF_INET;
    // The link may be down while this node starts; its address comes with it.
    setsockopt(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND, &on,
               sizeof on);
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
        SocketAddress address;
        UniqueFd fd;
    };

    State(QbLoop& event_loop, const LeaseLinksOptions& options, OnMessage callback, OnEcho on_echo)
        : loop(&event_loop),
          on_message(std::move(callback)),
          exchange(options.self, lease::LeaseKey(options.cluster_key).octets()),
          self(options.self.node),
          resolving{.port = options.port, .name_address = options.name_address, .flags = 0},
          gateways(options.gateways),
          voters(options.voters),
          background(event_loop),
          echoes(event_loop, std::move(on_echo)) {}

    QbLoop* loop;
    OnMessage on_message;
    lease::Exchange exchange;
    NodeId self;
    Resolving resolving;
    std::vector<GatewayId> gateways;
    std::vector<NodeId> voters;
    std::map<std::size_t, Link> links;  // This node's, by their numbers.
    NodeAddresses peers;                // Of the other nodes of Corosync's list, and other voters.
    std::set<NodeId> listed;            // Corosync's list.
    LeaseCounters counters;
    std::unique_ptr<WitnessLink> witness;
    std::uint64_t lists = 0;  // How often set_nodes() was called.
    Background background;
    EchoSockets echoes;

    // Takes over all of it, or nothing.
    Result<void> take_addresses(NodeAddresses all);
    Result<void> bind_links(const LinkAddresses& own);
    Result<void> open_missing(const LinkAddresses& own, std::map<std::size_t, Link>& opened);
    [[nodiscard]] bool is_removed_voter(NodeId node) const {
        return !listed.contains(node) && node != self && !lease::is_witness(node) &&
               lease::is_in(voters, node);
    }
    // The peers are the listed nodes, and removed voters.
    void choose_peers();
    [[nodiscard]] std::optional<std::size_t> link_of(int fd) const;
    [[nodiscard]] bool may_be_of_a_node(const SocketAddress& from, std::size_t link) const;
    void receive(int fd);
    void take(ByteView bytes, std::size_t link, const SocketAddress& from);
    void note_source(NodeId node, std::size_t link, const SocketAddress& from, bool is_proven);
    void send(GatewayId gateway, NodeId to, const lease::Message& message);
    void emit(NodeId to, const lease::Hello& hello);
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
            // Before the clients and records that may keep this node busy.
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
    const auto own = all.extract(self);
    // A node that is removed from the cluster sends to the remaining ones as before.
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
    exchange.guard().set_senders(senders);
}

std::optional<std::size_t> LeaseLinks::State::link_of(int fd) const {
    for (const auto& [number, link] : links) {
        if (link.fd.get() == fd) {
            return number;
        }
    }
    return std::nullopt;
}

bool LeaseLinks::State::may_be_of_a_node(const SocketAddress& from, std::size_t link) const {
    return std::any_of(peers.begin(), peers.end(), [&](const auto& peer) {
        const auto& [node, addresses] = peer;
        return std::any_of(addresses.begin(), addresses.end(),
                           [&from](const auto& each) { return each.second.is_at(from); }) ||
               // Its source address is learned from its datagrams.
               (is_removed_voter(node) && !addresses.contains(link));
    });
}

void LeaseLinks::State::receive(int fd) {
    const std::optional<std::size_t> link = link_of(fd);
    if (!link) {
        return;
    }
    read_lease_socket(
        fd, counters, [&](const SocketAddress& from) { return may_be_of_a_node(from, *link); },
        [&](ByteView bytes, const SocketAddress& from) { take(bytes, *link, from); });
}

void LeaseLinks::State::note_source(NodeId node, std::size_t link, const SocketAddress& from,
                                    bool is_proven) {
    // An unproven datagram may be a copy from another sender.
    if (is_removed_voter(node) && (is_proven || !exchange.guard().receives(node))) {
        peers[node][link] = from;
    }
}

void LeaseLinks::State::take(ByteView bytes, std::size_t link, const SocketAddress& from) {
    const lease::Exchange::Arrival arrival = exchange.on_datagram(bytes);
    counters.count(arrival.kind);
    if (!arrival.datagram) {
        return;
    }
    const auto& [gateway, sender, sequence, message] = *arrival.datagram;
    const bool is_taken = arrival.kind == lease::Exchange::Kind::taken;
    note_source(sender.node, link, from, is_taken);
    if (arrival.greeting) {
        emit(sender.node, *arrival.greeting);
    }
    if (!is_taken) {
        return;
    }
    if (!std::holds_alternative<lease::Hello>(message)) {
        on_message(gateway, sender, message);
        return;
    }
    for (const GatewayId each : gateways) {
        on_message(each, sender, message);
    }
}

void LeaseLinks::State::send(GatewayId gateway, NodeId to, const lease::Message& message) {
    const auto peer = peers.find(to);
    if (peer == peers.end()) {
        return;
    }
    const Bytes bytes = exchange.encode(gateway, message);
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

// For all gateways: its datagram names the first one.
void LeaseLinks::State::emit(NodeId to, const lease::Hello& hello) {
    if (!gateways.empty()) {
        send(gateways.front(), to, hello);
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
        opened->state_->emit(node, opened->state_->exchange.guard().greeting(node));
    }
    if (!options.witness.witness.addresses.empty()) {
        opened->state_->witness =
            std::make_unique<WitnessLink>(loop, options.witness, options.self, options.cluster_key,
                                          options.gateways, opened->state_->on_message);
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
    if (!lease::is_witness(to)) {
        state_->send(gateway, to, message);
    } else if (state_->witness) {
        state_->witness->send(gateway, message);
    }
}

// ICMP has no ports: those of the addresses are ignored.
void LeaseLinks::ask_for_echo(NodeId node) {
    const auto peer = state_->peers.find(node);
    if (peer == state_->peers.end()) {
        return;
    }
    for (const auto& [number, address] : peer->second) {
        state_->echoes.ask(node, *address.get(), address.size);
    }
}

LeaseCounters LeaseLinks::counters() const {
    return state_->witness ? state_->counters + state_->witness->counters() : state_->counters;
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
