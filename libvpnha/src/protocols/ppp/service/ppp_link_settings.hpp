// SPDX-License-Identifier: GPL-2.0-or-later
// The parameters of an outgoing link (ocf:vpnha:pppd mode=link), and the files with which stock
// pppd, pptp and xl2tpd dial it. Pure.
//
// No file has the password: pppd reads the administrator's own, at each of its starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

inline constexpr const char* kPppLinkInterface = "link0";
inline constexpr const char* kPppLinkMtu = "1400";
inline constexpr const char* kPppLinkPort = "1701";

// As an administrator writes them; empty is "not set".
struct PppLinkParameters {
    std::string protocol;
    std::string peer;
    std::string user;
    std::string secret_file;
    std::string interface = kPppLinkInterface;
    std::string routes{};
    std::string mppe{};
    std::string mtu = kPppLinkMtu;
    std::string local_port = kPppLinkPort;
    std::string options_file{};
};

struct PppLinkDialler;

struct PppLinkSettings {
    std::string resource;                     // Its name in the cluster.
    const PppLinkDialler* dialler = nullptr;  // Of its protocol.
    std::string peer;                         // An IPv4 address or a name.
    std::string user;
    std::string secret_file;
    std::string interface;
    std::vector<IpPrefix> routes;  // Through the link; IPv4, no bits after their length.
    bool mppe = false;
    std::uint16_t mtu = 0;
    std::uint16_t local_port = 0;  // Of a program that keeps the link.
    std::string options_file;      // Of pppd, beside ours; empty: none.
};

// Whether a link can have this name in the cluster. Error invalid_config.
[[nodiscard]] Result<void> check_ppp_link_name(const std::string& resource);
// Error invalid_config, with the name of the parameter: wrong on every node.
[[nodiscard]] Result<PppLinkSettings> parse_ppp_link(const std::string& resource,
                                                     const PppLinkParameters& parameters);

// The folder of a link's files, and the programs that pppd calls when it comes up or goes down.
struct PppLinkPlaces {
    std::string directory;
    std::string up_program;
    std::string down_program;

    [[nodiscard]] std::string path(const char* name) const { return directory + "/" + name; }
};

inline constexpr const char* kPppLinkOptions = "options";
// For a program that keeps the link.
inline constexpr const char* kPppLinkDaemonConf = "daemon.conf";
inline constexpr const char* kPppLinkLog = "log";
inline constexpr const char* kPppLinkControl = "control";

// For pppd.
[[nodiscard]] std::string ppp_link_options(const PppLinkSettings& settings,
                                           const PppLinkPlaces& places);
// One "a.b.c.d/n" a line, and back.
[[nodiscard]] std::string ppp_link_routes_text(const std::vector<IpPrefix>& routes);
[[nodiscard]] Result<std::vector<IpPrefix>> parse_ppp_link_routes(const std::string& text);

// Why a link is not up, by the last messages of pppd and pptp in its log.
struct PppLinkTrouble {
    std::string why;
    // Dialling again does not help: the peer refuses the user or the password.
    bool is_refusal = false;
};
[[nodiscard]] PppLinkTrouble ppp_link_trouble(const std::string& log,
                                              const PppLinkSettings& settings);

}  // namespace vpnha::adapters
