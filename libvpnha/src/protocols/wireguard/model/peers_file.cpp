// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/model/peers_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/limits.hpp"
#include "base/line_errors.hpp"
#include "base/number.hpp"
#include "base/text.hpp"
#include "protocols/wireguard/model/key_text.hpp"
#include "protocols/wireguard/model/limits.hpp"

namespace vpnha::wireguard {

namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";
constexpr std::string_view kWgQuickKeys[] = {"address", "dns",     "mtu",      "table",     "preup",
                                             "postup",  "predown", "postdown", "saveconfig"};

// A piece of the file, as an error shows it.
std::string quoted(std::string_view text) {
    constexpr std::size_t kShown = 60;
    std::string shown(text.substr(0, kShown));
    std::ranges::replace_if(
        shown, [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
    return fmt::format("'{}{}'", shown, text.size() > kShown ? "…" : "");
}

std::optional<IpPrefix> parse_net(std::string_view text) {
    if (text.find('/') != std::string_view::npos) {
        const auto net = parse_ip_prefix(text);
        return net ? std::optional(*net) : std::nullopt;
    }
    const auto address = parse_ip(text);
    return address ? std::optional(host_prefix(*address)) : std::nullopt;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view host = text.substr(0, colon);
    const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (is_bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    const auto address = parse_ip(host);
    const auto port = parse_whole<std::uint16_t>(text.substr(colon + 1));
    if (!address || !port || address->is_v4() == is_bracketed) {
        return std::nullopt;
    }
    const Endpoint endpoint{*address, *port};
    return is_reachable(endpoint) ? std::optional(endpoint) : std::nullopt;
}

std::optional<std::uint32_t> parse_mark(std::string_view text) {
    return text.starts_with("0x") ? parse_whole<std::uint32_t>(text.substr(2), 16)
                                  : parse_whole<std::uint32_t>(text);
}

class Reader {
  public:
    explicit Reader(std::string_view file_name) : errors_(file_name) {}

    Result<PeersFile> read(std::string_view text) {
        for (line_ = 1; !text.empty(); ++line_) {
            const std::string_view line = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(line.size() + 1, text.size()));
            on_line(trimmed(line.substr(0, line.find('#')), kBlanks));
        }
        end_peer();
        VPNHA_CHECK(errors_.result());
        return std::move(file_);
    }

  private:
    enum class Section { none, interface, peer };

    void on_line(std::string_view line) {
        if (line.empty()) {
            return;
        }
        if (line.front() == '[') {
            begin_section(line);
            return;
        }
        const std::size_t sign = line.find('=');
        if (sign == std::string_view::npos) {
            error("this is no 'KEY = VALUE'; write one, or put '#' before a comment");
            return;
        }
        const std::string_view name = trimmed(line.substr(0, sign), kBlanks);
        const std::string_view value = trimmed(line.substr(sign + 1), kBlanks);
        const std::string key = lowered(name);
        if (section_ == Section::none) {
            on_key_without_section(name);
        } else if (!(section_ == Section::peer ? on_peer_key(key, value)
                                               : on_interface_key(key, value))) {
            on_unknown_key(name, key);
        }
    }

    void begin_section(std::string_view line) {
        end_peer();
        const std::string name = lowered(line);
        if (name == "[interface]") {
            section_ = Section::interface;
        } else if (name == "[peer]") {
            section_ = Section::peer;
            peer_line_ = line_;
            has_key_ = false;
            file_.peers.emplace_back();
        } else {
            section_ = Section::none;
            is_skipped_ = true;
            error(fmt::format("there is no section {}; write [Interface] or [Peer]", quoted(line)));
        }
    }

    // Keys of an unknown section are not reported again.
    void on_key_without_section(std::string_view name) {
        if (!is_skipped_) {
            error(
                fmt::format("key {} stands before any section; write [Interface] or [Peer] "
                            "above it",
                            quoted(name)));
        }
    }

    void on_unknown_key(std::string_view name, const std::string& key) {
        if (std::ranges::find(kWgQuickKeys, key) != std::end(kWgQuickKeys)) {
            error(fmt::format("{} is a key of wg-quick(8); leave it out, as 'wg-quick strip' does",
                              quoted(name)));
        } else if (section_ == Section::interface) {
            error(fmt::format("[Interface] has no key {}; it has ListenPort, FwMark and PrivateKey",
                              quoted(name)));
        } else {
            error(
                fmt::format("[Peer] has no key {}; it has PublicKey, PresharedKey, AllowedIPs, "
                            "Endpoint and PersistentKeepalive",
                            quoted(name)));
        }
    }

    bool on_interface_key(std::string_view key, std::string_view value) {
        if (key == "listenport") {
            file_.listen_port = parse_whole<std::uint16_t>(value);
            check(file_.listen_port.has_value(),
                  "is no UDP port; give a number from 0 to 65535, like 51820", "ListenPort", value);
        } else if (key == "fwmark") {
            file_.mark =
                lowered(value) == "off" ? std::optional(std::uint32_t{0}) : parse_mark(value);
            check(file_.mark.has_value(), "is no mark; give a number, like 0x51820, or 'off'",
                  "FwMark", value);
        } else if (key == "privatekey") {
            read_secret("PrivateKey", value, file_.private_key);
        } else {
            return false;
        }
        return true;
    }

    bool on_peer_key(std::string_view key, std::string_view value) {
        FilePeer& current = file_.peers.back();
        if (key == "publickey") {
            on_public_key(value);
        } else if (key == "presharedkey") {
            read_secret("PresharedKey", value, current.preshared);
        } else if (key == "allowedips") {
            on_allowed_ips(value);
        } else if (key == "endpoint") {
            current.peer.endpoint = parse_endpoint(value);
            check(current.peer.endpoint.has_value(),
                  "is no address with a port; give one, like 192.0.2.51:51820 or "
                  "[2001:db8::51]:51820, or leave Endpoint out for a client that dials",
                  "Endpoint", value);
        } else if (key == "persistentkeepalive") {
            const auto seconds = lowered(value) == "off" ? std::optional(std::uint16_t{0})
                                                         : parse_whole<std::uint16_t>(value);
            check(seconds.has_value(), "is no pause; give seconds from 0 to 65535, or 'off'",
                  "PersistentKeepalive", value);
            current.peer.keepalive_s = seconds.value_or(0);
        } else {
            return false;
        }
        return true;
    }

    void on_public_key(std::string_view value) {
        PublicKey& key = file_.peers.back().peer.key;
        if (has_key_) {
            error("the peer has a PublicKey already; begin another [Peer] above this one");
            return;
        }
        has_key_ = true;
        if (!parse_key_text(value, key.octets)) {
            error(
                fmt::format("PublicKey {} is no key; give the 44 characters that 'wg pubkey' "
                            "writes",
                            quoted(value)));
            return;
        }
        const auto [found, is_new] = key_lines_.try_emplace(key, line_);
        if (!is_new) {
            error(fmt::format("this peer is there already, at line {}; keep one of them",
                              found->second));
        }
    }

    void on_allowed_ips(std::string_view value) {
        if (value.empty()) {
            return;
        }
        for (bool more = true; more;) {
            const std::size_t comma = value.find(',');
            const std::string_view text = trimmed(value.substr(0, comma), kBlanks);
            more = comma != std::string_view::npos;
            value.remove_prefix(more ? comma + 1 : value.size());
            const auto net = parse_net(text);
            if (net) {
                add_allowed({net->address.masked(net->length), net->length});
            } else {
                check(false,
                      "is no net; give nets with commas between them, like "
                      "10.200.9.7/32, 2001:db8:9::7/128",
                      "AllowedIPs", text);
            }
        }
    }

    void add_allowed(const IpPrefix& net) {
        const auto owner = std::pair(file_.peers.size(), line_);
        const auto [found, is_new] = owners_.try_emplace(net, owner);
        if (!is_new && found->second.first != owner.first) {
            error(
                fmt::format("{} is another peer's already, at line {}; the kernel sends to one "
                            "of them, so leave it out of one",
                            to_string(net), found->second.second));
        }
        file_.peers.back().peer.allowed.push_back(net);
    }

    void end_peer() {
        if (std::exchange(section_, Section::none) != Section::peer) {
            return;
        }
        Peer& peer = file_.peers.back().peer;
        peer.allowed = in_order(std::move(peer.allowed));
        const std::uint32_t line = std::exchange(line_, peer_line_);
        if (!has_key_) {
            error("this [Peer] has no PublicKey; add it");
        }
        if (peer.allowed.size() > limits::kWireguardAllowedIpsMax) {
            error(fmt::format("this [Peer] has {} allowed IPs; give {} at most, of larger nets",
                              peer.allowed.size(), limits::kWireguardAllowedIpsMax));
        }
        if (file_.peers.size() == limits::kRecordsPerGatewayMax + 1) {
            error(fmt::format("a gateway has {} peers at most; give the others to another gateway",
                              limits::kRecordsPerGatewayMax));
        }
        line_ = line;
    }

    void read_secret(std::string_view name, std::string_view value,
                     std::optional<SecretKey>& secret) {
        secret.emplace();
        if (!parse_key_text(value, std::span<std::uint8_t, kKeyBytes>(*secret))) {
            error(fmt::format("{} is no key; give the 44 characters that 'wg {}' writes", name,
                              name == "PrivateKey" ? "genkey" : "genpsk"));
        }
    }

    void check(bool is_right, std::string_view what, std::string_view name,
               std::string_view value) {
        if (!is_right) {
            error(fmt::format("{} {} {}", name, quoted(value), what));
        }
    }

    // Reports an error at the current line.
    void error(std::string_view what) { errors_.add_at(line_, what); }

    LineErrors errors_;
    PeersFile file_;
    Section section_ = Section::none;
    bool is_skipped_ = false;  // An unknown section has begun.
    std::uint32_t line_ = 0;
    std::uint32_t peer_line_ = 0;
    bool has_key_ = false;  // The current peer.
    std::map<PublicKey, std::uint32_t> key_lines_;
    std::map<IpPrefix, std::pair<std::size_t, std::uint32_t>> owners_;  // Peer and line.
};

}  // namespace

Result<SecretKey> parse_private_key(std::string_view text, std::string_view file_name) {
    SecretKey key;
    if (!parse_key_text(trimmed(text, kBlanks), std::span<std::uint8_t, kKeyBytes>(key))) {
        return fail(Errc::invalid_config,
                    fmt::format("{} has no key; it has the 44 characters that 'wg genkey' writes, "
                                "and nothing else",
                                file_name));
    }
    return key;
}

Result<PeersFile> parse_peers_file(std::string_view text, std::string_view file_name) {
    return Reader(file_name).read(text);
}

}  // namespace vpnha::wireguard
