// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/service/ppp_link_dialler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vpnha::adapters {

namespace {

// For pppd and xl2tpd: the shortest pause between two dials of a peer that is gone.
constexpr int kRedialPauseS = 5;

constexpr const char* kXl2tpd = "/usr/sbin/xl2tpd";
constexpr const char* kPptp = "/usr/sbin/pptp";

std::string xl2tpd_conf(const PppLinkSettings& settings, const PppLinkPlaces& places) {
    return fmt::format(
        "[global]\nport = {}\naccess control = yes\n[lac link]\nlns = {}\npppoptfile = {}\n"
        "length bit = yes\nautodial = yes\nredial = yes\nredial timeout = {}\n",
        settings.local_port, settings.peer, places.path(kPppLinkOptions), kRedialPauseS);
}

std::vector<std::string> xl2tpd_arguments(const PppLinkPlaces& places) {
    return {kXl2tpd,
            "-D",
            "-l",
            "-c",
            places.path(kPppLinkDaemonConf),
            "-p",
            places.path("daemon.pid"),
            "-C",
            places.path(kPppLinkControl)};
}

std::string through_pptp(const PppLinkSettings& settings) {
    return fmt::format(
        "persist\nmaxfail 0\nholdoff {}\npty \"{} {} --nolaunchpppd --nohostroute --loglevel 0\"\n",
        kRedialPauseS, kPptp, settings.peer);
}

constexpr std::array kDiallers{PppLinkDialler{.protocol = "l2tp",
                                              .program = kXl2tpd,
                                              .package = "xl2tpd",
                                              .config = xl2tpd_conf,
                                              .arguments = xl2tpd_arguments},
                               PppLinkDialler{.protocol = "pptp",
                                              .program = kPptp,
                                              .package = "pptp-linux",
                                              .has_mppe = true,
                                              .options = through_pptp}};

}  // namespace

const PppLinkDialler* find_ppp_link_dialler(std::string_view protocol) {
    const auto* const found = std::ranges::find(kDiallers, protocol, &PppLinkDialler::protocol);
    return found == kDiallers.end() ? nullptr : found;
}

bool keeps_ppp_links(std::string_view program) {
    return std::ranges::any_of(kDiallers, [program](const PppLinkDialler& each) {
        return each.keeps_link() && each.program == program;
    });
}

}  // namespace vpnha::adapters
