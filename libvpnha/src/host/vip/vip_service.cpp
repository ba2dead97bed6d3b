// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/vip/vip_service.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "host/addresses/neighbour.hpp"
#include "host/addresses/packet.hpp"
#include "host/addresses/secondaries.hpp"
#include "host/os/lock_file.hpp"
#include "host/os/text_file.hpp"
#include "host/services/detached_program.hpp"

namespace vpnha::adapters {

namespace {

using namespace std::chrono_literals;

// A monitor may wait longer than a start: service continues meanwhile.
constexpr auto kMonitorProbe = 500ms;
constexpr const char* kStarted = "started";
constexpr const char* kAnnouncer = "announcer";
constexpr const char* kMadeVlan = "made_vlan=1";
constexpr std::string_view kRpFilterWas = "rp_filter_was=";

std::string rp_filter_path(const std::string& interface) {
    return "/proc/sys/net/ipv4/conf/" + interface + "/rp_filter";
}

tl::unexpected<Error> missing(const std::string& interface) {
    return fail(
        Errc::invalid_argument,
        fmt::format("there is no interface {}; create it or correct the parameter", interface));
}

bool contains(const std::vector<IpPrefix>& all, const IpPrefix& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

std::vector<IpAddress> bare(const std::vector<IpPrefix>& prefixes) {
    std::vector<IpAddress> addresses;
    addresses.reserve(prefixes.size());
    for (const IpPrefix& prefix : prefixes) {
        addresses.push_back(prefix.address);
    }
    return addresses;
}

// An address that the kernel assigns to every link by itself.
bool is_link_local(const IpPrefix& address) {
    const ByteView octets = address.address.octets();
    return !address.address.is_v4() && octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

// Returns the query sockets, so that the caller need not wait for their closing.
Result<std::vector<PacketSocket>> refuse_owned(const std::string& interface,
                                               const std::vector<IpPrefix>& addresses,
                                               std::chrono::milliseconds wait) {
    VPNHA_TRY(OwnerSearch search, find_owner(interface, bare(addresses), wait));
    if (const auto& owner = search.found) {
        return fail(Errc::already_exists,
                    fmt::format("{} is in use on {} by {}; find that station and take the address "
                                "away from it",
                                to_string(owner->address), interface, to_string(owner->mac)));
    }
    return std::move(search.sockets);
}

Result<LinkState> interface_up(RouteNetlink& route, const std::string& interface) {
    VPNHA_TRY(const auto link, route.find_link(interface));
    if (!link) {
        return missing(interface);
    }
    if (!link->is_up) {
        return fail(Errc::unreachable,
                    fmt::format("{} is down or has no carrier; look at its cable", interface));
    }
    return *link;
}

Result<void> remove_vlan(RouteNetlink& route, LinkIndex link) {
    VPNHA_TRY(const std::vector<IpPrefix> left, route.addresses(link));
    // It belongs to another program by now.
    if (!std::all_of(left.begin(), left.end(), is_link_local)) {
        return {};
    }
    return route.delete_link(link);
}

}  // namespace

VipService::VipService(std::string resource, std::string announcer, const std::string& run_root)
    : directory_(run_root + "/" + std::move(resource)), announcer_(std::move(announcer)) {}

std::string VipService::path(const char* name) const {
    return directory_ + "/" + name;
}

std::optional<VipService::Started> VipService::read_started() const {
    if (::access(path(kStarted).c_str(), F_OK) != 0) {
        return std::nullopt;
    }
    const std::string text = read_text(path(kStarted));
    Started started;
    started.parameters = read_vip_parameters(text);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        started.made_vlan = started.made_vlan || line == kMadeVlan;
        if (line.size() > kRpFilterWas.size() && line.starts_with(kRpFilterWas)) {
            started.rp_filter_was = line[kRpFilterWas.size()];
        }
    }
    return started;
}

Result<void> VipService::write_started(const Started& started) const {
    std::string text = to_text(started.parameters);
    if (started.made_vlan) {
        text += fmt::format("{}\n", kMadeVlan);
    }
    if (started.rp_filter_was) {
        text += fmt::format("{}{}\n", kRpFilterWas, *started.rp_filter_was);
    }
    return replace_text(path(kStarted), text);
}

Result<VipSettings> read_started_vip(const std::string& directory) {
    return parse_vip_parameters(read_vip_parameters(read_text(directory + "/" + kStarted)));
}

Result<void> VipService::check(const VipSettings& settings) {
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    const std::string& needed = settings.vlan == 0 ? settings.interface : settings.parent;
    VPNHA_TRY(const auto link, route.find_link(needed));
    if (!link) {
        return missing(needed);
    }
    return {};
}

Result<void> VipService::start(const VipParameters& parameters) {
    VPNHA_TRY(const VipSettings settings, parse_vip_parameters(parameters));
    VPNHA_CHECK(check(settings));
    if (::access(announcer_.c_str(), X_OK) != 0) {
        return fail(Errc::unsupported,
                    announcer_ + " is not installed; install vpnha's agents anew");
    }
    VPNHA_TRY(const UniqueFd held, lock_directory(directory_, LOCK_EX));
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    auto started = read_started();
    if (started && started->parameters != parameters) {
        VPNHA_CHECK(undo(route, *started));
        started.reset();
    }
    if (!started) {
        VPNHA_TRY(const auto link, route.find_link(settings.interface));
        started = Started{parameters, settings.vlan != 0 && !link, std::nullopt};
        if (const std::string was = read_text(rp_filter_path(settings.interface));
            settings.rp_filter && link && !was.empty()) {
            started->rp_filter_was = was.front();
        }
        VPNHA_CHECK(write_started(*started));
    }
    Result<void> done = bring(route, settings, *started);
    if (!done) {
        static_cast<void>(undo(route, *started));
    }
    return done;
}

Result<void> VipService::bring(RouteNetlink& route, const VipSettings& settings,
                               const Started& started) const {
    if (started.made_vlan) {
        VPNHA_TRY(const LinkState parent, interface_up(route, settings.parent));
        VPNHA_CHECK(route.add_vlan(parent.index, settings.vlan, settings.interface));
    }
    VPNHA_TRY(const LinkState link, interface_up(route, settings.interface));
    VPNHA_TRY(const std::vector<IpPrefix> present, route.addresses(link.index));
    std::vector<IpPrefix> absent;
    std::copy_if(settings.addresses.begin(), settings.addresses.end(), std::back_inserter(absent),
                 [&present](const IpPrefix& address) { return !contains(present, address); });
    std::vector<PacketSocket> asked;
    if (!absent.empty() && settings.probe > 0ms) {
        VPNHA_TRY(asked, refuse_owned(settings.interface, absent, settings.probe));
    }
    if (settings.rp_filter) {
        VPNHA_CHECK(
            write_text(rp_filter_path(settings.interface), std::string(1, *settings.rp_filter)));
    }
    // Rules and routes first, so that replies to the first packet find their path.
    for (const PolicyRule& rule : settings.rules()) {
        VPNHA_CHECK(route.add_rule(rule));
    }
    for (const TableRoute& each : settings.routes()) {
        VPNHA_CHECK(route.add_route(link.index, each));
    }
    VPNHA_CHECK(keep_secondaries(settings.interface));
    for (const IpPrefix& address : settings.addresses) {
        VPNHA_CHECK(route.add_address(link.index, address));
    }
    if (!absent.empty()) {
        VPNHA_CHECK(announce_addresses(settings.interface, absent));
    }
    return ensure_announcer();
}

Result<void> VipService::stop(const VipParameters& parameters) {
    const bool was_started = ::access(path(kStarted).c_str(), F_OK) == 0;
    if (!was_started && !parse_vip_parameters(parameters)) {
        return {};  // Nothing can have been started with these.
    }
    VPNHA_TRY(const UniqueFd held, lock_directory(directory_, LOCK_EX));
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    return undo(route, read_started().value_or(Started{parameters, false, std::nullopt}));
}

Result<void> VipService::undo(RouteNetlink& route, const Started& started) const {
    VPNHA_TRY(const VipSettings settings, parse_vip_parameters(started.parameters));
    // Before the addresses are removed: it must not announce what is another node's soon after.
    VPNHA_CHECK(DetachedProgram(path(kAnnouncer)).end());
    VPNHA_TRY(const auto link, route.find_link(settings.interface));
    if (link) {
        for (const IpPrefix& address : settings.addresses) {
            VPNHA_CHECK(route.delete_address(link->index, address));
        }
        for (const TableRoute& each : settings.routes()) {
            VPNHA_CHECK(route.delete_route(link->index, each));
        }
    }
    for (const PolicyRule& rule : settings.rules()) {
        VPNHA_CHECK(route.delete_rule(rule));
    }
    if (link && started.rp_filter_was) {
        VPNHA_CHECK(
            write_text(rp_filter_path(settings.interface), std::string(1, *started.rp_filter_was)));
    }
    if (link && started.made_vlan) {
        VPNHA_CHECK(remove_vlan(route, link->index));
    }
    ::unlink(path(kStarted).c_str());
    return {};
}

Result<VipService::State> VipService::status(const VipParameters& parameters, Depth depth) const {
    VPNHA_TRY(const VipSettings settings, parse_vip_parameters(parameters));
    VPNHA_TRY(const UniqueFd held, lock_directory(directory_, LOCK_EX));
    VPNHA_TRY(RouteNetlink route, RouteNetlink::open());
    const bool was_started = ::access(path(kStarted).c_str(), F_OK) == 0;
    VPNHA_TRY(const auto found, route.find_link(settings.interface));
    std::vector<IpPrefix> present;
    if (found) {
        VPNHA_TRY(present, route.addresses(found->index));
    }
    const auto here =
        std::count_if(settings.addresses.begin(), settings.addresses.end(),
                      [&present](const IpPrefix& address) { return contains(present, address); });
    if (here == 0 && !was_started) {
        return State::stopped;
    }
    VPNHA_TRY(const LinkState link, interface_up(route, settings.interface));
    for (const IpPrefix& address : settings.addresses) {
        if (!contains(present, address)) {
            return fail(Errc::not_found, fmt::format("{} is not on {}; somebody has removed it",
                                                     to_string(address), settings.interface));
        }
    }
    for (const PolicyRule& rule : settings.rules()) {
        VPNHA_TRY(const bool there, route.has_rule(rule));
        if (!there) {
            return fail(Errc::not_found, fmt::format("policy rule {} for table {} is missing",
                                                     rule.preference, rule.table));
        }
    }
    for (const TableRoute& each : settings.routes()) {
        VPNHA_TRY(const bool there, route.has_route(link.index, each));
        if (!there) {
            return fail(Errc::not_found, fmt::format("the route to {} in table {} is missing",
                                                     to_string(each.destination), each.table));
        }
    }
    if (depth == Depth::neighbours) {
        VPNHA_CHECK(refuse_owned(settings.interface, settings.addresses, kMonitorProbe));
    }
    static_cast<void>(ensure_announcer());
    return State::running;
}

Result<void> VipService::ensure_announcer() const {
    VPNHA_CHECK(DetachedProgram(path(kAnnouncer))
                    .ensure({.arguments = {announcer_, directory_}, .error_file = path("errors")}));
    return {};
}

}  // namespace vpnha::adapters
