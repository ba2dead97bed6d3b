// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/radius_check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <sstream>

#include "base/number.hpp"
#include "host/corosync/cluster_map.hpp"
#include "host/os/program_output.hpp"
#include "host/os/qb_loop.hpp"
#include "host/os/text_file.hpp"
#include "protocols/ppp/service/ppp_options.hpp"

namespace vpnha::runtime {

namespace {

constexpr const char* kIp = "/usr/sbin/ip";
constexpr std::chrono::seconds kIpTimeout{2};
constexpr std::uint16_t kRadiusPort = 1812;

std::vector<std::string> words_in(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

// The word after `name`; empty: there is none.
std::string word_behind(const std::vector<std::string>& words, std::string_view name) {
    const auto found = std::find(words.begin(), words.end(), name);
    return found != words.end() && found + 1 != words.end() ? *(found + 1) : std::string();
}

// With or without a length.
std::optional<IpPrefix> prefix_of(const std::string& text) {
    if (const Result<IpPrefix> prefix = parse_ip_prefix(text)) {
        return *prefix;
    }
    const Result<IpAddress> address = parse_ip(text);
    return address ? std::optional(host_prefix(*address)) : std::nullopt;
}

struct Server {
    std::string name;
    std::uint16_t port = kRadiusPort;
};

// The lines `authserver` of radiusclient.conf: HOST[:PORT], several with commas between them.
std::vector<Server> servers_in(const std::string& text) {
    std::vector<Server> servers;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::vector<std::string> words = words_in(line);
        if (words.empty() || words.front() != "authserver") {
            continue;
        }
        for (auto word = words.begin() + 1; word != words.end(); ++word) {
            const std::size_t colon = word->find(':');
            Server& server = servers.emplace_back(Server{word->substr(0, colon)});
            if (colon != std::string::npos) {
                server.port = parse_whole<std::uint16_t>(word->substr(colon + 1)).value_or(0);
            }
        }
    }
    return servers;
}

std::set<std::string> options_of(const config::Gateway& gateway) {
    std::set<std::string> files;
    for (const config::Facts& protocol : gateway.protocols.facts()) {
        if (protocol.ppp_options) {
            files.insert(*protocol.ppp_options);
        }
    }
    return files;
}

}  // namespace

GuardedWays::GuardedWays(std::string_view addresses, const std::vector<std::string>& ring,
                         std::string_view policies)
    : nets_{*parse_ip_prefix("127.0.0.0/8"), *parse_ip_prefix("::1/128")} {
    const std::vector<std::string> words = words_in(addresses);
    for (std::size_t at = 0; at + 1 < words.size(); ++at) {
        const auto net =
            words[at] == "inet" || words[at] == "inet6" ? prefix_of(words[at + 1]) : std::nullopt;
        if (net && std::find(ring.begin(), ring.end(), to_string(net->address)) != ring.end()) {
            nets_.push_back(*net);
        }
    }
    std::istringstream lines{std::string(policies)};
    for (std::string line; std::getline(lines, line);) {
        const std::vector<std::string> policy = words_in(line);
        if (policy.empty()) {
            continue;
        }
        if (policy.front() == "src") {
            const auto destination = prefix_of(word_behind(policy, "dst"));
            const std::string port = word_behind(policy, "dport");
            policies_.push_back({.destination = destination.value_or(IpPrefix{}),
                                 .protocol = word_behind(policy, "proto"),
                                 .port = parse_whole<std::uint16_t>(port).value_or(0)});
        } else if (!policies_.empty() && policy.front() == "proto") {
            policies_.back().is_esp |= word_behind(policy, "proto") == "esp";
        }
    }
}

bool GuardedWays::lead_to(const IpAddress& server, std::uint16_t port) const {
    return std::any_of(nets_.begin(), nets_.end(),
                       [&](const IpPrefix& net) { return contains(net, server); }) ||
           std::any_of(policies_.begin(), policies_.end(), [&](const Policy& policy) {
               return policy.is_esp && contains(policy.destination, server) &&
                      (policy.protocol.empty() || policy.protocol == "udp") &&
                      (policy.port == 0 || policy.port == port);
           });
}

bool uses_radius(const config::Config& config, const std::string& ppp) {
    return std::any_of(config.gateways.begin(), config.gateways.end(), [&](const auto& gateway) {
        const std::set<std::string> files = options_of(gateway);
        return std::any_of(files.begin(), files.end(), [&](const std::string& file) {
            return read_ppp_options(file, ppp).has_radius;
        });
    });
}

RadiusCheck find_in_radius(const config::Config& config, const GuardedWays& ways,
                           const std::string& ppp) {
    RadiusCheck check;
    for (const config::Gateway& gateway : config.gateways) {
        for (const std::string& file : options_of(gateway)) {
            const PppOptions options = read_ppp_options(file, ppp);
            if (!options.has_radius) {
                continue;
            }
            if (::access(options.radius_config.c_str(), R_OK) != 0) {
                check.unread.push_back(options.radius_config);
                continue;
            }
            for (const Server& server : servers_in(adapters::read_text(options.radius_config))) {
                const Result<IpAddress> address =
                    parse_ip(server.name == "localhost" ? "127.0.0.1" : server.name);
                if (address && ways.lead_to(*address, server.port)) {
                    continue;
                }
                check.warnings.push_back(fmt::format(
                    "gateway {}: radius.so asks {} of {}, {}. It sends no Message-Authenticator, "
                    "so somebody on the way turns a reject into an accept (CVE-2024-3596); see "
                    "\"The way to the authentication server\" in docs/operate/radius.md",
                    gateway.name, server.name, options.radius_config,
                    address ? "which is on no link of the cluster, and no policy of IPsec covers "
                              "its port"
                            : "a name, and this check compares addresses alone"));
            }
        }
    }
    return check;
}

Result<GuardedWays> read_guarded_ways() {
    adapters::QbLoop loop;
    VPNHA_TRY(const auto map, adapters::ClusterMap::open(
                                  loop, {.on_change = [] {}, .on_nodes = [] {}, .on_lost = [] {}}));
    VPNHA_TRY(const NodeId self, map->self());
    std::vector<std::string> ring;
    for (const adapters::ClusterNode& node : map->nodes()) {
        if (node.id == self) {
            ring = node.links;
        }
    }
    VPNHA_TRY(const std::string addresses, adapters::output_of({kIp, "-o", "addr"}, kIpTimeout));
    VPNHA_TRY(const std::string policies,
              adapters::output_of({kIp, "xfrm", "policy", "list", "dir", "out"}, kIpTimeout,
                                  adapters::ErrorOutput::dropped));
    return GuardedWays(addresses, ring, policies);
}

}  // namespace vpnha::runtime
