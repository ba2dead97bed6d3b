// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/witness_link.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "host/lease/witness_source.hpp"
#include "host/os/log.hpp"

namespace vpnha::adapters {

namespace {

constexpr Duration kWaysInterval = std::chrono::seconds(1);
constexpr Duration kNamesInterval = std::chrono::seconds(60);
constexpr Duration kNamesAgain = std::chrono::seconds(5);
// For all names together: a name server must not multiply a datagram into a flood.
constexpr std::size_t kWaysMax = 8;

using AncillaryData = std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))>;

template <class Info>
void put(msghdr& header, int level, int type, const Info& info) {
    header.msg_controllen = CMSG_SPACE(sizeof info);
    cmsghdr* const data = CMSG_FIRSTHDR(&header);
    data->cmsg_level = level;
    data->cmsg_type = type;
    data->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(data), &info, sizeof info);
}

// ip(7), ipv6(7): the source of this datagram.
void put_source(msghdr& header, const SocketAddress& from) {
    if (from.family() == AF_INET) {
        in_pktinfo info{};
        std::memcpy(&info.ipi_spec_dst, from.octets().data(), sizeof info.ipi_spec_dst);
        put(header, IPPROTO_IP, IP_PKTINFO, info);
    } else {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, from.octets().data(), sizeof info.ipi6_addr);
        put(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

}  // namespace

WitnessLink::WitnessLink(QbLoop& loop, const WitnessOptions& options, const lease::Sender& self,
                         std::string_view cluster_key, std::vector<GatewayId> gateways,
                         OnMessage on_message)
    : loop_(loop),
      on_message_(std::move(on_message)),
      exchange_(self, lease::LeaseKey::of_witness(cluster_key, options.witness.name).octets()),
      gateways_(std::move(gateways)),
      covered_(options.covered),
      background_(loop) {
    exchange_.guard().set_senders({lease::kWitness});
    for (const config::HostPort& address : options.witness.addresses) {
        hosts_.push_back({address, {}, ""});
    }
    take_found(look_up(configured(), AI_NUMERICHOST));
    if (!gateways_.empty()) {
        send(gateways_.front(), exchange_.guard().greeting(lease::kWitness));
    }
}

WitnessLink::~WitnessLink() {
    for (const auto& [family, fd] : sockets_) {
        loop_.unwatch(fd.get());
    }
}

std::vector<config::HostPort> WitnessLink::configured() const {
    std::vector<config::HostPort> hosts;
    for (const Host& host : hosts_) {
        hosts.push_back(host.at);
    }
    return hosts;
}

WitnessLink::Found WitnessLink::look_up(const std::vector<config::HostPort>& hosts, int flags) {
    Found found;
    for (const config::HostPort& host : hosts) {
        found.push_back(find_addresses(host.host, host.port, AF_UNSPEC, flags));
    }
    return found;
}

void WitnessLink::note_errors(const Found& found) {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        const std::string error = found[i] ? "" : found[i].error().detail;
        if (std::exchange(hosts_[i].error, error) != error && !error.empty()) {
            write_log(LogLevel::warning,
                      fmt::format("the witness's name '{}' cannot be looked up: {}; {} "
                                  "event=witness-unresolved",
                                  hosts_[i].at.host, error,
                                  hosts_[i].found.empty() ? "it is tried again"
                                                          : "its last addresses hold"));
        }
    }
}

void WitnessLink::look_up_names() {
    const bool has_names = std::any_of(hosts_.begin(), hosts_.end(), [](const Host& host) {
        return !parse_ip(host.at.host).has_value();
    });
    if (!has_names || QbLoop::now() < names_at_) {
        return;
    }
    // Only one look-up at a time: the next one follows the end of this one.
    names_at_ = TimePoint::max();
    const auto found = std::make_shared<Found>();
    const Result<void> begun = background_.run(
        [hosts = configured(), found]() -> Result<void> {
            *found = look_up(hosts, 0);
            return {};
        },
        [this, found](const Result<void>&) {
            const bool all = std::all_of(found->begin(), found->end(),
                                         [](const auto& each) { return each.has_value(); });
            names_at_ = QbLoop::now() + (all ? kNamesInterval : kNamesAgain);
            note_errors(*found);
            take_found(*found);
        });
    if (!begun) {
        names_at_ = QbLoop::now() + kNamesAgain;
    }
}

void WitnessLink::take_found(const Found& found) {
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        if (found[i]) {
            hosts_[i].found = *found[i];
        }
    }
    std::vector<Way> ways;
    for (const Host& host : hosts_) {
        for (const SocketAddress& address : host.found) {
            const auto known = std::find_if(ways_.begin(), ways_.end(), [&](const Way& way) {
                return way.to.is_same(address);
            });
            if (ways.size() < kWaysMax &&
                std::none_of(ways.begin(), ways.end(),
                             [&](const Way& way) { return way.to.is_same(address); })) {
                ways.push_back(known == ways_.end() ? Way{address, std::nullopt, ""} : *known);
            }
        }
    }
    ways_ = std::move(ways);
    choose_ways();
}

void WitnessLink::choose_ways() {
    ways_at_ = QbLoop::now() + kWaysInterval;
    for (Way& way : ways_) {
        const Result<SocketAddress> from = source_to(way.to, covered_);
        way.from = from ? std::optional(*from) : std::nullopt;
        const std::string error = from ? "" : from.error().detail;
        if (std::exchange(way.error, error) != error && !error.empty()) {
            write_log(LogLevel::warning, fmt::format("nothing can be sent to the witness at {}: {} "
                                                     "event=witness-unreachable",
                                                     to_string(way.to.ip()), error));
        }
    }
}

int WitnessLink::socket_of(int family) {
    const auto open = sockets_.find(family);
    if (open != sockets_.end()) {
        return open->second.get();
    }
    Result<UniqueFd> opened = open_lease_socket(family);
    if (!opened) {
        return -1;
    }
    const int fd = opened->get();
    if (!loop_.watch(
            fd, [this, fd] { receive(fd); }, QbLoop::Priority::high)) {
        return -1;
    }
    sockets_.emplace(family, std::move(*opened));
    return fd;
}

bool WitnessLink::send_to(const Way& way, ByteView bytes) {
    const int fd = way.from ? socket_of(way.to.family()) : -1;
    if (fd < 0) {
        return false;
    }
    SocketAddress to = way.to;
    iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) AncillaryData ancillary{};
    msghdr header{};
    header.msg_name = &to.storage;
    header.msg_namelen = to.size;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = ancillary.data();
    header.msg_controllen = ancillary.size();
    put_source(header, *way.from);
    return sendmsg(fd, &header, 0) >= 0;
}

void WitnessLink::send(GatewayId gateway, const lease::Message& message) {
    look_up_names();
    if (QbLoop::now() >= ways_at_) {
        choose_ways();
    }
    const Bytes bytes = exchange_.encode(gateway, message);
    bool sent = false;
    for (const Way& way : ways_) {
        sent = send_to(way, bytes) || sent;
    }
    ++(sent ? counters_.sent : counters_.unsent);
}

void WitnessLink::receive(int fd) {
    read_lease_socket(
        fd, counters_,
        [this](const SocketAddress& from) {
            return std::any_of(ways_.begin(), ways_.end(),
                               [&from](const Way& way) { return way.to.is_at(from); });
        },
        [this](ByteView bytes, const SocketAddress&) { take(bytes); });
}

void WitnessLink::take(ByteView bytes) {
    const lease::Exchange::Arrival arrival = exchange_.on_datagram(bytes);
    counters_.count(arrival.kind);
    if (arrival.greeting && !gateways_.empty()) {
        send(gateways_.front(), *arrival.greeting);
    }
    if (arrival.kind != lease::Exchange::Kind::taken) {
        return;
    }
    const auto& [gateway, sender, sequence, message] = *arrival.datagram;
    if (!lease::is_word_of_witness(message)) {
        ++counters_.malformed;
        return;
    }
    if (!std::holds_alternative<lease::Hello>(message)) {
        on_message_(gateway, sender, message);
        return;
    }
    for (const GatewayId each : gateways_) {
        on_message_(each, sender, message);
    }
}

}  // namespace vpnha::adapters
