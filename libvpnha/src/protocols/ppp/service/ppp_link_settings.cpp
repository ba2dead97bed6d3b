// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/service/ppp_link_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "base/limits.hpp"
#include "base/number.hpp"
#include "protocols/ppp/service/ppp_link_dialler.hpp"

namespace vpnha::adapters {

namespace {

// RFC 1035 2.3.4.
constexpr std::size_t kHostNameBytesMax = 253;
constexpr std::size_t kRoutesMax = 64;
// PPP's own (RFC 1661 6.1), and the least that IPv4 requires.
constexpr std::uint32_t kMtuMax = 1500;
constexpr std::uint32_t kMtuMin = 576;
// pppd's message when the link is up; earlier lines do not matter.
constexpr std::string_view kIsUp = "remote IP address";

tl::unexpected<Error> wrong_link(std::string_view name, std::string_view what) {
    return fail(Errc::invalid_config, fmt::format("parameter {}: {}", name, what));
}

Result<std::uint16_t> number_of(std::string_view name, std::string_view text, std::uint32_t low,
                                std::uint32_t high) {
    const auto value = parse_whole<std::uint32_t>(text);
    if (!value || *value < low || *value > high) {
        return wrong_link(name, fmt::format("'{}' is no number from {} to {}", text, low, high));
    }
    return static_cast<std::uint16_t>(*value);
}

bool is_visible(char c) {
    return c > ' ' && c <= '~';
}

// It is used in a file name and in a line of a file.
bool is_plain(const std::string& text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_visible(c) && c != '"' && c != '\\' && c != '#'; });
}

// It is passed to a shell, for pptp.
bool is_host(const std::string& text) {
    const auto is_host_character = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '-';
    };
    return !text.empty() && text.size() <= kHostNameBytesMax && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), is_host_character);
}

Result<void> check_file(std::string_view name, const std::string& path) {
    if (path.empty() || (path.front() == '/' && is_plain(path))) {
        return {};
    }
    return wrong_link(name, fmt::format("'{}' is no path from the root without blanks", path));
}

Result<std::string> parse_user(const std::string& text) {
    if (text.empty() || text.size() > limits::kUserNameBytesMax ||
        !std::all_of(text.begin(), text.end(), [](char c) { return is_visible(c) || c == ' '; })) {
        return wrong_link("user",
                          fmt::format("is missing, or has other characters than those of ASCII, or "
                                      "more than {}",
                                      limits::kUserNameBytesMax));
    }
    return text;
}

Result<const PppLinkDialler*> parse_protocol(const std::string& text) {
    if (const PppLinkDialler* const dialler = find_ppp_link_dialler(text)) {
        return dialler;
    }
    return wrong_link("protocol", fmt::format("'{}' is neither l2tp nor pptp", text));
}

Result<bool> parse_mppe(const std::string& text, const PppLinkDialler& dialler) {
    if (text.empty()) {
        return dialler.has_mppe;
    }
    if (text == "require" || text == "refuse") {
        return text == "require";
    }
    return wrong_link("mppe", fmt::format("'{}' is neither require nor refuse", text));
}

Result<std::vector<IpPrefix>> parse_routes(const std::string& text, const std::string& peer) {
    VPNHA_TRY(std::vector<IpPrefix> routes, parse_ppp_link_routes(text));
    const auto address = parse_ip(peer);
    for (const IpPrefix& route : routes) {
        if (address && contains(route, *address)) {
            return wrong_link("routes", fmt::format("{} holds the peer itself, so the link would "
                                                    "go through the link",
                                                    to_string(route)));
        }
    }
    return routes;
}

// As pppd reads a word in double quotes.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "\"";
}

// Messages of pppd and pptp, and their meaning.
struct Words {
    std::string_view found;
    std::string_view meaning;
    bool is_refusal = false;
};
constexpr Words kSilence{"", "{0} does not answer"};
constexpr std::array<Words, 7> kWords{{
    {"authentication failed", "{0} refuses the user '{1}' or the password in {2}", true},
    {"Could not open control connection", "{0} accepts no PPTP connection"},
    {"timeout sending Config-Requests", kSilence.meaning},
    {"No response to", "{0} has stopped answering"},
    {"terminated by peer", "{0} has ended the link"},
    {"MPPE required", "{0} and this site do not agree on MPPE"},
    {"Couldn't rename interface", "there is an interface {3} already; choose another name"},
}};

}  // namespace

Result<std::vector<IpPrefix>> parse_ppp_link_routes(const std::string& text) {
    std::istringstream stream(text);
    std::vector<IpPrefix> routes;
    for (std::string word; stream >> word;) {
        const auto route = parse_ip_prefix(word);
        if (!route || !route->address.is_v4()) {
            return wrong_link("routes",
                              fmt::format("'{}' is no net of IPv4 like 10.1.0.0/16", word));
        }
        if (route->address != route->address.masked(route->length)) {
            return wrong_link("routes", fmt::format("{} has bits behind its length", word));
        }
        if (std::find(routes.begin(), routes.end(), *route) == routes.end()) {
            routes.push_back(*route);
        }
    }
    if (routes.size() > kRoutesMax) {
        return wrong_link("routes",
                          fmt::format("{} of them; at most {}", routes.size(), kRoutesMax));
    }
    return routes;
}

std::string ppp_link_routes_text(const std::vector<IpPrefix>& routes) {
    std::string text;
    for (const IpPrefix& route : routes) {
        text += to_string(route) + "\n";
    }
    return text;
}

Result<void> check_ppp_link_name(const std::string& resource) {
    if (resource.empty() || resource.size() > limits::kGatewayNameBytesMax || !is_plain(resource)) {
        return fail(Errc::invalid_config,
                    fmt::format("the resource's name has more than {} characters; rename it",
                                limits::kGatewayNameBytesMax));
    }
    return {};
}

Result<PppLinkSettings> parse_ppp_link(const std::string& resource,
                                       const PppLinkParameters& parameters) {
    VPNHA_CHECK(check_ppp_link_name(resource));
    PppLinkSettings settings;
    settings.resource = resource;
    VPNHA_TRY(settings.dialler, parse_protocol(parameters.protocol));
    settings.peer = parameters.peer;
    if (!is_host(settings.peer)) {
        return wrong_link("peer",
                          fmt::format("'{}' is no IPv4 address and no name", settings.peer));
    }
    VPNHA_TRY(settings.user, parse_user(parameters.user));
    settings.secret_file = parameters.secret_file;
    if (settings.secret_file.empty()) {
        return wrong_link("secret_file", "is missing; it names the file with the password");
    }
    VPNHA_CHECK(check_file("secret_file", settings.secret_file));
    settings.options_file = parameters.options_file;
    VPNHA_CHECK(check_file("options_file", settings.options_file));
    settings.interface = parameters.interface;
    if (settings.interface.empty() || !is_plain(settings.interface) ||
        settings.interface.find('/') != std::string::npos ||
        settings.interface.size() > limits::kInterfaceNameBytesMax) {
        return wrong_link("interface",
                          fmt::format("'{}' is no name of an interface; it has 1 to {} "
                                      "characters",
                                      settings.interface, limits::kInterfaceNameBytesMax));
    }
    VPNHA_TRY(settings.routes, parse_routes(parameters.routes, settings.peer));
    VPNHA_TRY(settings.mppe, parse_mppe(parameters.mppe, *settings.dialler));
    VPNHA_TRY(settings.mtu, number_of("mtu", parameters.mtu, kMtuMin, kMtuMax));
    VPNHA_TRY(settings.local_port, number_of("local_port", parameters.local_port, 1, 65535));
    return settings;
}

std::string ppp_link_options(const PppLinkSettings& settings, const PppLinkPlaces& places) {
    std::string text;
    // pppd uses the last one of repeated options.
    if (!settings.options_file.empty()) {
        text += fmt::format("file {}\n", settings.options_file);
    }
    text += fmt::format(
        "nodetach\nnoauth\nuser {}\nfile {}\nifname {}\nipparam {}\nip-up-script {}\n"
        "ip-down-script {}\nlogfile {}\nlcp-echo-interval 10\nlcp-echo-failure 3\n"
        "noipdefault\nnodefaultroute\nnoproxyarp\nnovj\nnoipv6\nmtu {}\nmru {}\n"
        "refuse-eap\nrefuse-pap\n",
        quoted(settings.user), settings.secret_file, settings.interface, places.directory,
        places.up_program, places.down_program, places.path(kPppLinkLog), settings.mtu,
        settings.mtu);
    // Only MS-CHAPv2 makes its keys.
    text += settings.mppe ? "nobsdcomp\nnodeflate\nrequire-mppe-128\nrefuse-chap\nrefuse-mschap\n"
                          : "noccp\n";
    if (settings.dialler->options != nullptr) {
        text += settings.dialler->options(settings);
    }
    return text;
}

PppLinkTrouble ppp_link_trouble(const std::string& log, const PppLinkSettings& settings) {
    const std::size_t up = log.rfind(kIsUp);
    std::size_t last = up == std::string::npos ? 0 : up;
    const Words* words = &kSilence;
    for (const Words& each : kWords) {
        const std::size_t at = log.rfind(each.found);
        if (at != std::string::npos && at >= last) {
            last = at;
            words = &each;
        }
    }
    return {.why = fmt::format(fmt::runtime(words->meaning), settings.peer, settings.user,
                               settings.secret_file, settings.interface),
            .is_refusal = words->is_refusal};
}

}  // namespace vpnha::adapters
