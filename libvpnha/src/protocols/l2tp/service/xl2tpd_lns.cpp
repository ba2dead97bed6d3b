// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/service/xl2tpd_lns.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vpnha::adapters {

namespace {

struct Flag {
    std::string_view option;
    bool Xl2tpdLns::*member;
    bool is_negated = false;
};

constexpr std::array kFlags{
    Flag{"assign ip", &Xl2tpdLns::assigns_address},
    Flag{"require authentication", &Xl2tpdLns::authenticates_peer},
    Flag{"require auth", &Xl2tpdLns::authenticates_peer},
    Flag{"refuse authentication", &Xl2tpdLns::authenticates_itself, true},
    Flag{"refuse auth", &Xl2tpdLns::authenticates_itself, true},
    Flag{"require pap", &Xl2tpdLns::requires_pap},
    Flag{"require chap", &Xl2tpdLns::requires_chap},
    Flag{"refuse pap", &Xl2tpdLns::refuses_pap},
    Flag{"refuse chap", &Xl2tpdLns::refuses_chap},
    Flag{"unix authentication", &Xl2tpdLns::asks_system},
    Flag{"unix auth", &Xl2tpdLns::asks_system},
    Flag{"ppp debug", &Xl2tpdLns::is_verbose},
    Flag{"pass peer", &Xl2tpdLns::passes_peer},
};

std::string without_blanks(std::string text) {
    std::erase_if(text, [](char octet) { return octet >= 0 && octet < 33; });
    return text;
}

// The end of "10.0.0.2-9" takes its first numbers from the beginning.
std::string whole_end(const std::string& first, const std::string& last) {
    constexpr std::ptrdiff_t kDots = 3;
    std::size_t kept = 0;
    for (auto n = std::ranges::count(last, '.'); n < kDots && kept != std::string::npos; ++n) {
        kept = first.find('.', kept);
        kept += kept == std::string::npos ? 0 : 1;
    }
    return kept == std::string::npos ? last : first.substr(0, kept) + last;
}

std::optional<Xl2tpdLns::Range> parse_address_range(const std::string& value, bool is_allowed) {
    const std::size_t dash = std::min(value.find('-'), value.size());
    const std::string first = without_blanks(value.substr(0, dash));
    const std::string last =
        dash == value.size() ? first : whole_end(first, without_blanks(value.substr(dash + 1)));
    const auto begin = parse_ipv4(first);
    const auto end = parse_ipv4(last);
    if (!begin || !end || *end < *begin) {
        return std::nullopt;
    }
    return Xl2tpdLns::Range{*begin, *end, is_allowed};
}

}  // namespace

void Xl2tpdLns::take(std::string_view option, const std::string& value, bool flag) {
    const auto* const known = std::ranges::find(kFlags, option, &Flag::option);
    if (known != kFlags.end()) {
        this->*known->member = flag != known->is_negated;
    } else if (option == "pppoptfile") {
        options_file = value;
    } else if (option == "name") {
        name = value;
    } else if (option == "local ip") {
        local = parse_ipv4(value)
                    .map([](Ipv4Address address) { return std::optional(address); })
                    .value_or(std::nullopt);
    } else if (option == "ip range" || option == "no ip range") {
        if (const auto range = parse_address_range(value, option == "ip range")) {
            ranges.push_back(*range);
        }
    }
}

std::vector<std::string> pppd_options(const Xl2tpdLns& lns, std::optional<Ipv4Address> client,
                                      Ipv4Address peer) {
    const std::string ours = lns.local ? to_string(*lns.local) : std::string();
    const std::string theirs = client ? to_string(*client) : std::string();
    std::vector<std::string> options{"passive", "nodetach", ours + ":" + theirs};
    const auto add = [&options](bool wanted, std::initializer_list<std::string> words) {
        if (wanted) {
            options.insert(options.end(), words);
        }
    };
    add(lns.refuses_pap || !lns.authenticates_itself, {"refuse-pap"});
    add(lns.refuses_chap || !lns.authenticates_itself, {"refuse-chap"});
    add(lns.authenticates_peer, {"auth"});
    add(lns.authenticates_peer && lns.requires_pap, {"require-pap"});
    add(lns.authenticates_peer && lns.requires_chap, {"require-chap"});
    add(lns.authenticates_peer && lns.asks_system, {"login"});
    add(!lns.name.empty(), {"name", lns.name});
    add(lns.is_verbose, {"debug"});
    add(!lns.options_file.empty(), {"file", lns.options_file});
    add(lns.passes_peer, {"ipparam", to_string(peer)});
    return options;
}

std::optional<Ipv4Address> last_free_address(const Xl2tpdLns& lns,
                                             const std::set<Ipv4Address>& taken) {
    for (auto range = lns.ranges.rbegin(); range != lns.ranges.rend(); ++range) {
        if (!range->is_allowed) {
            continue;
        }
        const auto denied = [&](Ipv4Address address) {
            const auto later = std::find_if(lns.ranges.rbegin(), range, [&](const auto& each) {
                return each.first <= address && address <= each.last;
            });
            return later != range && !later->is_allowed;
        };
        for (std::uint64_t n = std::uint64_t{range->last.value} + 1; n > range->first.value; --n) {
            const Ipv4Address address{static_cast<std::uint32_t>(n - 1)};
            if (!taken.contains(address) && !denied(address)) {
                return address;
            }
        }
    }
    return std::nullopt;
}

}  // namespace vpnha::adapters
