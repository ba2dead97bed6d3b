// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/backend/pppol2tp.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/limits.hpp"
#include "protocols/l2tp/model/limits.hpp"
#include "protocols/l2tp/work.hpp"

namespace vpnha::adapters {

namespace {

// Protocol numbers from here on belong to the link and use the channel (RFC 1661 2).
constexpr std::uint16_t kFirstLinkProtocol = 0xc000;
constexpr unsigned kTunnelIdBits = 16;

// After an event about a deletion the kernel is queried after 10, 20, 40, 80, 160 ms. A session is
// gone at once, a tunnel when a worker of the kernel has had its turn.
constexpr std::size_t kSearchesMax = 5;
constexpr long kSearchFirstNs = 10'000'000;

Result<void> raise_open_files_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return tl::unexpected(system_error("read the limit of open files", errno));
    }
    if (limit.rlim_cur >= limits::kOpenFilesMax) {
        return {};
    }
    const rlimit wanted{limits::kOpenFilesMax,
                        std::max<rlim_t>(limit.rlim_max, limits::kOpenFilesMax)};
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) {
        return {};
    }
    // Without CAP_SYS_RESOURCE the limit of the service manager applies.
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return tl::unexpected(system_error("raise the limit of open files", errno));
    }
    return {};
}

// Only these addresses are hidden by the gate.
Result<void> check_covered(const config::Gateway& gateway, Ipv4Address local) {
    const auto& vips = gateway.outside.addresses;
    if (std::none_of(vips.begin(), vips.end(),
                     [local](const IpPrefix& vip) { return vip.address.v4() == local; })) {
        return fail(Errc::invalid_argument, fmt::format("{} is no outside address of gateway {}",
                                                        to_string(local), gateway.name));
    }
    return {};
}

Result<void> check_ppp_address(const config::Gateway& gateway, Ipv4Address address) {
    if (address != gateway.ppp_local) {
        return fail(Errc::invalid_argument,
                    fmt::format("{} is not the PPP address of gateway {}, which is {}",
                                to_string(address), gateway.name, to_string(gateway.ppp_local)));
    }
    return {};
}

// A session that only ends here carries no packets, and its addresses are not checked.
std::vector<IpPrefix> routes_of(const l2tp::SessionRecord& record) {
    std::vector<IpPrefix> routes;
    if (record.facts.obstacle.empty()) {
        routes = record.facts.routes;
        routes.push_back(host_prefix(IpAddress(record.facts.peer_address)));
    }
    return routes;
}

// Those of its networks that no rule for a pool covers.
std::vector<IpPrefix> networks_outside(const config::Gateway& gateway,
                                       const l2tp::SessionRecord& record) {
    return ppp::networks_outside(gateway.pools, routes_of(record));
}

bool same_in_kernel(const l2tp::SessionRecord& a, const l2tp::SessionRecord& b) {
    return a.key == b.key && a.facts.ours == b.facts.ours && a.facts.theirs == b.facts.theirs &&
           a.facts.our_address == b.facts.our_address &&
           a.facts.peer_address == b.facts.peer_address && a.facts.ipv6 == b.facts.ipv6 &&
           a.facts.mtu == b.facts.mtu && routes_of(a) == routes_of(b);
}

}  // namespace

Result<std::unique_ptr<PppoL2tpKernel>> PppoL2tpKernel::create(
    const config::Config& config, QbLoop& loop, ports::Backend::Notify notify,
    ppp::ClientNetworks::Lead on_networks) {
    VPNHA_CHECK(raise_open_files_limit());
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    std::unique_ptr<PppoL2tpKernel> kernel(new PppoL2tpKernel(
        config, loop, std::move(notify), std::move(on_networks), std::move(route)));
    const auto has_l2tp = [](const config::Gateway& gateway) {
        return gateway.protocols.has("l2tp");
    };
    if (std::any_of(config.gateways.begin(), config.gateways.end(), has_l2tp)) {
        VPNHA_CHECK(kernel->open_l2tp());
    }
    VPNHA_CHECK(kernel->open_poll_set());
    return kernel;
}

PppoL2tpKernel::PppoL2tpKernel(const config::Config& config, QbLoop& loop,
                               ports::Backend::Notify notify, ppp::ClientNetworks::Lead on_networks,
                               RouteNetlink route)
    : config_(&config),
      loop_(&loop),
      notify_(std::move(notify)),
      networks_(std::move(on_networks)),
      route_(std::move(route)) {}

Result<void> PppoL2tpKernel::open_l2tp() {
    VPNHA_TRY(L2tpNetlink l2tp, L2tpNetlink::open());
    VPNHA_TRY(L2tpEvents events, l2tp.subscribe());
    l2tp_ = std::move(l2tp);
    events_ = std::move(events);
    return {};
}

PppoL2tpKernel::~PppoL2tpKernel() {
    loop_->unwatch(epoll_.get());
    while (!sessions_.empty()) {
        static_cast<void>(remove({}, sessions_.begin()->first));
    }
}

Result<void> PppoL2tpKernel::open_poll_set() {
    epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    search_timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!epoll_ || !search_timer_) {
        return tl::unexpected(system_error("create an epoll or timer descriptor", errno));
    }
    if (events_) {
        VPNHA_CHECK(watch(events_->fd(), {Source::Kind::events, {}, {}}));
    }
    VPNHA_CHECK(watch(search_timer_.get(), {Source::Kind::search, {}, {}}));
    return loop_->watch(epoll_.get(), [this] { on_readable(); });
}

Result<const config::Gateway*> PppoL2tpKernel::settings_of(GatewayId gateway) const {
    const config::Gateway* const found = config_->find(gateway);
    if (found == nullptr) {
        return fail(Errc::not_found, fmt::format("there is no gateway {}", gateway.value));
    }
    return found;
}

Result<void> PppoL2tpKernel::install(GatewayId gateway, const l2tp::SessionRecord& record) {
    VPNHA_TRY(const config::Gateway* const found, settings_of(gateway));
    if (!l2tp_) {
        return fail(Errc::unsupported, "this node's vpnha.toml has no gateway with L2TP");
    }
    VPNHA_CHECK(check_ppp_address(*found, record.facts.our_address));
    if (const auto known = sessions_.find(record.key); known != sessions_.end()) {
        if (same_in_kernel(known->second.record, record)) {
            known->second.record = record;
            return {};
        }
        VPNHA_CHECK(remove(gateway, record.key));
    }
    VPNHA_TRY(Tunnel* const tunnel, open_tunnel(gateway, record.key.tunnel));
    auto link = networks_.add(gateway, networks_outside(*found, record)).and_then([&] {
        return open_link(*found, *tunnel, record);
    });
    if (!link) {
        networks_.remove(gateway, networks_outside(*found, record));
        // The first error is the one to report.
        static_cast<void>(close_tunnel_if_unused(record.key.tunnel));
        return tl::unexpected(std::move(link).error());
    }
    for (const int fd : {link->channel.get(), link->unit.get()}) {
        if (auto watched = watch(fd, {Source::Kind::frame, gateway, record.key}); !watched) {
            unwatch(link->channel.get());
            link = fail(Errc::limit, {});  // Closes it before its tunnel goes.
            networks_.remove(gateway, networks_outside(*found, record));
            static_cast<void>(close_tunnel_if_unused(record.key.tunnel));
            return watched;
        }
    }
    sessions_.emplace(record.key, Session{gateway, record, std::move(*link)});
    ++tunnel->sessions;
    return {};
}

Result<void> PppoL2tpKernel::remove(GatewayId, const l2tp::SessionKey& key) {
    const auto session = sessions_.find(key);
    if (session == sessions_.end()) {
        return close_tunnel_if_unused(key.tunnel);
    }
    // `key` may be part of the object that is erased here.
    const l2tp::TunnelKey tunnel = key.tunnel;
    PppLink& link = session->second.link;
    unwatch(link.channel.get());
    unwatch(link.unit.get());
    DeviceRemover::Device device{link.index};
    device.descriptors.push_back(std::move(link.unit));
    device.descriptors.push_back(std::move(link.channel));
    device.descriptors.push_back(std::move(link.session));
    const GatewayId gateway = session->second.gateway;
    networks_.remove(gateway, networks_outside(*config_->find(gateway), session->second.record));
    sessions_.erase(session);
    --tunnels_.at(tunnel).sessions;
    Result<void> closed = close_tunnel_if_unused(tunnel);
    remover_.remove(std::move(device));
    return closed;
}

std::string PppoL2tpKernel::interface_of(const l2tp::SessionKey& key) const {
    const auto session = sessions_.find(key);
    return session == sessions_.end() ? std::string() : session->second.link.name;
}

Result<std::set<l2tp::SessionKey>> PppoL2tpKernel::audit(GatewayId gateway) {
    if (!l2tp_) {
        return std::set<l2tp::SessionKey>();
    }
    std::vector<L2tpNetlink::SessionName> names;
    for (const auto& [key, session] : sessions_) {
        if (session.gateway == gateway) {
            names.push_back(name_in_kernel(key));
        }
    }
    VPNHA_TRY(const std::set<L2tpNetlink::SessionName> in_kernel, l2tp_->present(names));
    std::set<l2tp::SessionKey> present;
    std::vector<l2tp::SessionKey> gone;
    for (const auto& [key, session] : sessions_) {
        if (session.gateway == gateway && in_kernel.contains(name_in_kernel(key))) {
            present.insert(key);
        } else if (session.gateway == gateway) {
            gone.push_back(key);
        }
    }
    for (const l2tp::SessionKey& key : gone) {
        VPNHA_CHECK(remove(gateway, key));
    }
    return present;
}

L2tpNetlink::SessionName PppoL2tpKernel::name_in_kernel(const l2tp::SessionKey& key) const {
    return {tunnels_.at(key.tunnel).connection_id, key.id.value};
}

Result<void> PppoL2tpKernel::send_datagram(GatewayId gateway, const l2tp::TunnelKey& key,
                                           ByteView bytes) {
    VPNHA_TRY(const Tunnel* const tunnel, find_or_open_socket(gateway, key));
    // An ICMP error about an earlier datagram makes this call fail without sending.
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (send(tunnel->udp.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) {
            return {};
        }
        if (errno == EAGAIN || errno == ENOBUFS) {
            return fail(Errc::busy, "the tunnel's socket is full");
        }
    }
    return tl::unexpected(system_error("send on the tunnel's socket", errno));
}

Result<void> PppoL2tpKernel::send_frame(GatewayId, const l2tp::SessionKey& session,
                                        ByteView frame) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) {
        return fail(Errc::not_found,
                    fmt::format("session {} is not installed on this node", session.id.value));
    }
    ByteReader reader(frame);
    const std::uint16_t protocol = reader.u16();
    if (!reader.ok()) {
        return fail(Errc::invalid_argument, "a PPP frame begins with two octets of protocol");
    }
    const PppLink& link = found->second.link;
    const int fd = protocol >= kFirstLinkProtocol ? link.channel.get() : link.unit.get();
    if (write(fd, frame.data(), frame.size()) < 0) {
        return tl::unexpected(system_error("write a PPP frame", errno));
    }
    return {};
}

Result<PppoL2tpKernel::Tunnel*> PppoL2tpKernel::open_tunnel(GatewayId gateway,
                                                            const l2tp::TunnelKey& key) {
    VPNHA_TRY(Tunnel* const tunnel, find_or_open_socket(gateway, key));
    if (tunnel->connection_id == 0) {
        auto id = create_named_tunnel(key, tunnel->udp.get());
        if (!id) {
            static_cast<void>(close_tunnel_if_unused(key));
            return tl::unexpected(std::move(id).error());
        }
        tunnel->connection_id = *id;
    }
    return tunnel;
}

Result<PppoL2tpKernel::Tunnel*> PppoL2tpKernel::find_or_open_socket(GatewayId gateway,
                                                                    const l2tp::TunnelKey& key) {
    if (const auto known = tunnels_.find(key); known != tunnels_.end()) {
        return &known->second;
    }
    VPNHA_TRY(const config::Gateway* const found, settings_of(gateway));
    VPNHA_CHECK(check_covered(*found, key.local.address));
    Tunnel tunnel;
    VPNHA_TRY(tunnel.udp, open_tunnel_socket(key));
    VPNHA_CHECK(watch(tunnel.udp.get(), {Source::Kind::datagram, gateway, {key, {}, {}}}));
    return &tunnels_.emplace(key, std::move(tunnel)).first->second;
}

Result<std::uint32_t> PppoL2tpKernel::create_named_tunnel(const l2tp::TunnelKey& key, int udp) {
    std::size_t refused = 0;
    for (std::uint32_t n = 1; n <= std::numeric_limits<std::uint16_t>::max(); ++n) {
        const std::uint32_t id = n << kTunnelIdBits | key.id.value;
        if (connection_ids_.contains(id)) {
            continue;
        }
        const auto created = l2tp_->create_tunnel(id, key.peer_id, udp);
        if (created) {
            connection_ids_.insert(id);
            return id;
        }
        if (created.error().code != Errc::already_exists) {
            return tl::unexpected(created.error());
        }
        if (++refused == limits::kTunnelNameAttemptsMax) {
            break;
        }
    }
    return fail(Errc::limit, fmt::format("no free kernel name for L2TP tunnel {}", key.id.value));
}

Result<void> PppoL2tpKernel::close_tunnel_if_unused(const l2tp::TunnelKey& key) {
    const auto found = tunnels_.find(key);
    if (found == tunnels_.end() || found->second.sessions != 0 || !found->second.calls.empty()) {
        return {};
    }
    const std::uint32_t id = found->second.connection_id;
    Result<void> outcome = id == 0 ? Result<void>() : l2tp_->delete_tunnel(id);
    unwatch(found->second.udp.get());
    tunnels_.erase(found);
    connection_ids_.erase(id);
    return outcome;
}

Result<PppLink> PppoL2tpKernel::open_link(const config::Gateway& gateway, const Tunnel& tunnel,
                                          const l2tp::SessionRecord& record) {
    VPNHA_TRY(UniqueFd session,
              open_session_socket(record.key, tunnel.connection_id, tunnel.udp.get()));
    VPNHA_TRY(PppLink link, open_ppp_link(std::move(session), record));
    VPNHA_CHECK(route_.prepare_link(link.index, link.name, record.facts.mtu));
    VPNHA_CHECK(
        route_.add_peer_address(link.index, record.facts.our_address, record.facts.peer_address));
    VPNHA_CHECK(route_.set_link_up(link.index));
    for (const IpPrefix& net : routes_of(record)) {
        VPNHA_CHECK(route_.add_route(link.index, {net, std::nullopt, gateway.route_table}));
    }
    // Below it pppd's device has none, either.
    if (record.facts.ipv6 && record.facts.mtu >= kIpv6MtuMin) {
        VPNHA_CHECK(route_.add_link_local_peer(link.index,
                                               link_local_address(record.facts.ipv6->ours),
                                               link_local_address(record.facts.ipv6->theirs)));
    }
    return link;
}

Result<void> PppoL2tpKernel::watch(int fd, const Source& source) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return tl::unexpected(system_error("watch a session's descriptor", errno));
    }
    sources_.insert_or_assign(fd, source);
    return {};
}

void PppoL2tpKernel::unwatch(int fd) {
    if (sources_.erase(fd) != 0) {
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    }
}

void PppoL2tpKernel::on_readable() {
    std::array<epoll_event, limits::kSessionEventsPerTurnMax> events{};
    const int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < ready; ++i) {
        // read_one() ignores a descriptor that the listener removed meanwhile; it reads one that
        // was reused in vain. A descriptor with more data is ready again.
        read_one(events[static_cast<std::size_t>(i)].data.fd);
    }
}

void PppoL2tpKernel::read_one(int fd) {
    const auto found = sources_.find(fd);
    if (found == sources_.end()) {
        return;
    }
    // A copy: the listener may remove the session.
    const Source source = found->second;
    if (source.kind == Source::Kind::events) {
        return on_events();
    }
    if (source.kind == Source::Kind::search) {
        return search();
    }
    std::array<std::uint8_t, std::max(limits::kL2tpMessageBytesMax, limits::kPppFrameBytesMax)>
        buffer{};
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    const bool datagram = source.kind == Source::Kind::datagram;
    if (!datagram && (got == 0 || (got < 0 && errno != EINTR && errno != EOVERFLOW))) {
        // The kernel ended the session: stop watching, or the descriptor stays readable for ever.
        unwatch(fd);
        return suspect(tunnels_.at(source.key.tunnel).connection_id);
    }
    if (got <= 0) {
        return;  // An ICMP error, an empty datagram, a frame beyond every MRU.
    }
    const ByteView bytes(buffer.data(), static_cast<std::size_t>(got));
    if (datagram) {
        notify_(source.gateway, node::TunnelDatagram{source.key.tunnel, bytes});
    } else {
        notify_(source.gateway, node::SessionFrame{source.key, bytes});
    }
}

void PppoL2tpKernel::on_events() {
    const bool complete = events_->read([this](std::uint32_t connection_id) {
        if (connection_ids_.contains(connection_id)) {
            suspect(connection_id);
        }
    });
    if (!complete) {
        report_news_lost();
    }
}

void PppoL2tpKernel::suspect(std::uint32_t connection_id) {
    suspects_.insert(connection_id);
    searches_ = 0;
    arm_search();
}

void PppoL2tpKernel::arm_search() {
    itimerspec at{};
    at.it_value.tv_nsec = kSearchFirstNs << searches_;
    timerfd_settime(search_timer_.get(), 0, &at, nullptr);
}

void PppoL2tpKernel::report_news_lost() {
    for (const config::Gateway& gateway : config_->gateways) {
        notify_(gateway.id, node::SessionNewsLost{});
    }
}

void PppoL2tpKernel::search() {
    std::uint64_t expirations = 0;
    if (read(search_timer_.get(), &expirations, sizeof expirations) < 0) {
        return;
    }
    std::vector<L2tpNetlink::SessionName> names;
    for (const auto& [key, session] : sessions_) {
        if (const auto name = name_in_kernel(key); suspects_.contains(name.first)) {
            names.push_back(name);
        }
    }
    const auto in_kernel = l2tp_->present(names);
    if (!in_kernel) {
        suspects_.clear();
        return report_news_lost();
    }
    std::vector<std::pair<GatewayId, l2tp::SessionKey>> gone;
    for (const auto& [key, session] : sessions_) {
        const auto name = name_in_kernel(key);
        if (suspects_.contains(name.first) && !in_kernel->contains(name)) {
            gone.emplace_back(session.gateway, key);
        }
    }
    if (++searches_ < kSearchesMax) {
        arm_search();
    } else {
        suspects_.clear();
    }
    for (const auto& [gateway, key] : gone) {
        // A removal cannot fail: the kernel no longer has the session.
        static_cast<void>(remove(gateway, key));
        notify_(gateway, node::SessionGone{key});
    }
}

}  // namespace vpnha::adapters
