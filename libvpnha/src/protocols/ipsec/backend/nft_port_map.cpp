// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/nft_port_map.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "host/netlink/nftables.hpp"
#include "host/os/log.hpp"

namespace vpnha::adapters {

namespace {

constexpr Duration kPortMapPause = std::chrono::milliseconds(50);

std::string elements(const std::vector<std::string>& all) {
    return all.empty() ? "" : fmt::format("elements = {{ {} }}\n", fmt::join(all, ", "));
}

}  // namespace

std::string port_map_ruleset(const std::set<IpAddress>& vips, std::uint16_t tunnel_port,
                             const std::vector<ipsec::PortMapping>& mappings) {
    std::vector<std::string> addresses;
    for (const IpAddress& vip : vips) {
        addresses.push_back(to_string(vip));
    }
    std::vector<std::string> inside;
    std::vector<std::string> marks;
    std::vector<std::string> own;
    for (const ipsec::PortMapping& each : mappings) {
        inside.push_back(fmt::format("{} : {}", each.mark, each.port));
        if (each.answers && each.peer.is_v4()) {
            const std::string peer = fmt::format("{} . {}", to_string(each.peer), each.port);
            marks.push_back(fmt::format("{} : {}", peer, each.mark));
            own.push_back(fmt::format("{} : {}", peer, each.peer_port));
        }
    }
    return without_nft_table("inet", kPortMapTable) +
           fmt::format(
               "table inet {0} {{\n"
               "map inside {{\ntype mark : inet_service\n{2}}}\n"
               "map marks {{\ntype ipv4_addr . inet_service : mark\n{3}}}\n"
               "map own {{\ntype ipv4_addr . inet_service : inet_service\n{4}}}\n"
               "chain decrypted {{\n"
               "udp sport set meta mark map @inside udp checksum set 0 notrack accept\n"
               "drop\n"
               "}}\n"
               "chain in {{\n"
               "type filter hook prerouting priority -300; policy accept;\n"
               "ip daddr {{ {1} }} udp dport {5} meta ipsec exists meta mark != 0 jump decrypted\n"
               "}}\n"
               "chain out {{\n"
               "type route hook output priority -300; policy accept;\n"
               "ip saddr {{ {1} }} udp sport {5} meta mark set ip daddr . udp dport map @marks "
               "udp dport set ip daddr . udp dport map @own udp checksum set 0 notrack\n"
               "}}\n"
               "}}\n",
               kPortMapTable, fmt::join(addresses, ", "), elements(inside), elements(marks),
               elements(own), tunnel_port);
}

NftPortMap::NftPortMap(QbLoop& loop, int timer, const std::set<IpAddress>& vips,
                       std::uint16_t tunnel_port)
    : loop_(loop), timer_(timer), tunnel_port_(tunnel_port), background_(loop) {
    for (const IpAddress& vip : vips) {
        if (vip.is_v4()) {
            vips_.insert(vip);
        }
    }
    if (!vips_.empty()) {
        loop_.set_timer(timer_, {}, [this] { look(); });
    }
}

NftPortMap::~NftPortMap() {
    loop_.cancel_timer(timer_);
}

void NftPortMap::map(std::vector<ipsec::PortMapping> mappings) {
    mappings_ = std::move(mappings);
    is_written_ = false;
    write();
}

void NftPortMap::look() {
    if (is_written_ && !is_writing_) {
        is_written_ = has_nft_table(kPortMapTable).value_or(true);
    }
    write();
    loop_.set_timer(timer_, loop_.now() + kPortMapPause, [this] { look(); });
}

void NftPortMap::write() {
    if (is_written_ || is_writing_ || vips_.empty()) {
        return;
    }
    is_written_ = true;
    const Result<void> begun = background_.run(
        [ruleset = port_map_ruleset(vips_, tunnel_port_, mappings_)] {
            return run_nftables(ruleset);
        },
        [this](const Result<void>& done) {
            is_writing_ = false;
            const std::string complaint = done ? "" : done.error().detail;
            if (!done && std::exchange(complaint_, complaint) != complaint) {
                write_log(LogLevel::error,
                          fmt::format("the ports of L2TP within IPsec cannot be mapped: {} "
                                      "event=port-map",
                                      complaint));
            }
            if (!done) {
                is_written_ = false;  // Tried again at the next check.
            } else {
                complaint_.clear();
                write();
            }
        });
    is_writing_ = begun.has_value();
    is_written_ = is_writing_;
}

}  // namespace vpnha::adapters
