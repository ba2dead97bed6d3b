// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/connections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace vpnha::config {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::string_view kBlanks = " \t";

std::string value_of(const StrongswanSection& section, std::string_view name,
                     std::string_view fallback) {
    const auto found = section.values.find(std::string(name));
    return found == section.values.end() || !found->second ? std::string(fallback) : *found->second;
}

// An option whose only value that survives a takeover is its default.
struct OnlyDefault {
    std::string_view name;
    std::string_view value;
    std::string_view why;
};

// Refused. The ha plugin of strongSwan 5.9.8 does not replicate that a PPK was mixed into an SA's
// keys, nor which one: a standby derives other keys.
constexpr std::string_view kPpk = "the ha plugin does not carry it, and a standby has wrong keys";
constexpr std::array kRefusedOfConnection{
    OnlyDefault{"ppk_id", "", kPpk},
    OnlyDefault{"ppk_required", "no", kPpk},
};
constexpr std::array kRefusedOfChild{
    OnlyDefault{"hw_offload", "no",
                "a device may use an initialisation vector twice after a takeover"},
};

constexpr std::string_view kOwnNumber = "each node has another number";
constexpr std::array kNamedOfConnection{
    OnlyDefault{"if_id_in", "0", kOwnNumber},
    OnlyDefault{"if_id_out", "0", kOwnNumber},
};
constexpr std::array kNamedOfChild{
    OnlyDefault{"ah_proposals", "", "the ha plugin carries ESP alone"},
    OnlyDefault{"ipcomp", "no", "compression does not continue after a takeover"},
    OnlyDefault{"updown", "", "charon runs no script for what it takes over"},
    OnlyDefault{"inactivity", "0", "the next node does not end what is idle"},
    OnlyDefault{"label", "", "the ha plugin does not carry it"},
    OnlyDefault{"per_cpu_sas", "no", "the ha plugin does not carry these SAs"},
    OnlyDefault{"start_action", "none",
                "charon tries it once, on each node and before one serves; trap begins with the "
                "first packet, where the gateway is served"},
    OnlyDefault{"if_id_in", "0", kOwnNumber},
    OnlyDefault{"if_id_out", "0", kOwnNumber},
};

// With all of them, or none: vpnhad maps clients by the marks of what an SA has decrypted.
struct Mark {
    std::string_view name;
    std::string_view value;
};
constexpr std::array kMarks{Mark{"mark_in", "%unique"}, Mark{"mark_out", "%unique"},
                            Mark{"set_mark_in", "%same"}};

// Of one connection, or one of its children.
class ConnectionCheck {
  public:
    ConnectionCheck(std::string what, const StrongswanSection& section,
                    std::vector<std::string>& findings)
        : what_(std::move(what)), section_(section), findings_(findings) {}

    [[nodiscard]] std::string value(std::string_view name, std::string_view fallback) const {
        return value_of(section_, name, fallback);
    }
    void add(std::string_view found, std::string_view why) {
        findings_.push_back(fmt::format("{}: {}: {}", what_, found, why));
    }
    void has(const std::string& name, const std::string& fallback, const std::string& wanted,
             const std::string& why) {
        if (const std::string is = value(name, fallback); is != wanted) {
            add(fmt::format("{} is {}, not {}", name, is, wanted), why);
        }
    }
    void lasts(const std::string& name, const std::string& fallback, hours least, hours most) {
        const std::string is = value(name, fallback);
        const auto time = parse_strongswan_seconds(is);
        if (!time || seconds(*time) < least || seconds(*time) > most) {
            add(fmt::format("{} is {}, not from {}h to {}h", name, is, least.count(), most.count()),
                "a replicated SA gets its whole lifetime again, and a short one dies in a "
                "takeover");
        }
    }

  private:
    std::string what_;
    const StrongswanSection& section_;
    std::vector<std::string>& findings_;
};

// Between commas.
std::vector<std::string_view> parts_of(std::string_view list) {
    std::vector<std::string_view> parts;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        parts.push_back(trimmed(list.substr(0, comma), kBlanks));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return parts;
}

void check_addresses(ConnectionCheck& check, const std::set<IpAddress>& vips) {
    const std::string local = check.value("local_addrs", "%any");
    for (const std::string_view one : parts_of(local)) {
        // A net of one address is written either way.
        const Result<IpPrefix> net = one.find('/') == std::string_view::npos
                                         ? parse_ip(one).map(host_prefix)
                                         : parse_ip_prefix(one);
        if (!net || net->length != net->address.bits() || !vips.contains(net->address)) {
            check.add(fmt::format("local_addrs has {}, which is no VIP of the gateway", one),
                      "a charon that is not promoted would answer for it");
        }
    }
}

void check_pools(ConnectionCheck& check, const std::map<std::string, StrongswanSection>& pools) {
    const std::string named = check.value("pools", "");
    for (const std::string_view pool : parts_of(named)) {
        if (pools.contains(std::string(pool))) {
            check.add(fmt::format("pool {} is one of swanctl.conf", pool),
                      "the next node would give its addresses once more; take a pool of the ha "
                      "plugin");
        }
    }
}

// Windows does not support pre-shared keys of IKEv2.
bool may_be_dialled_by_windows(const ConnectionCheck& check, const StrongswanSection& connection) {
    return check.value("version", "0") != "1" &&
           std::ranges::none_of(connection.sections, [](const auto& each) {
               return each.first.starts_with("remote") &&
                      value_of(each.second, "auth", "").starts_with("psk");
           });
}

// Of a proposal: the first of its groups for the exchange of keys; none: it names no group.
std::string_view first_group_of(std::string_view proposal) {
    constexpr std::array<std::string_view, 5> kGroups{"modp", "ecp", "curve", "x25519", "x448"};
    while (!proposal.empty()) {
        const std::size_t dash = std::min(proposal.find('-'), proposal.size());
        const std::string_view word = proposal.substr(0, dash);
        if (std::ranges::any_of(kGroups,
                                [&](std::string_view kind) { return word.starts_with(kind); })) {
            return word;
        }
        proposal.remove_prefix(std::min(dash + 1, proposal.size()));
    }
    return {};
}

void check_first_group(ConnectionCheck& check, const StrongswanSection& connection) {
    const auto rekeyed = parse_strongswan_seconds(check.value("rekey_time", "4h"));
    if (rekeyed == 0 || !may_be_dialled_by_windows(check, connection)) {
        return;
    }
    const std::string proposals = check.value("proposals", "default");
    const auto parts = parts_of(proposals);
    const std::string_view group = parts.empty() ? "" : first_group_of(parts.front());
    if (group != "modp2048") {
        check.add(fmt::format("the first group of proposals is {}, not modp2048",
                              group.empty() ? "not named" : group),
                  "Windows refuses each rekey of the IKE SA that the gateway begins");
    }
}

// Of several key exchanges (RFC 9370): ke1_ to ke7_ in front of a method.
bool has_further_exchange(std::string_view proposal) {
    for (std::size_t at = proposal.find("ke"); at != std::string_view::npos;
         at = proposal.find("ke", at + 1)) {
        const std::string_view word = proposal.substr(at);
        if ((at == 0 || proposal[at - 1] == '-') && word.size() > 3 && word[2] >= '1' &&
            word[2] <= '7' && word[3] == '_') {
            return true;
        }
    }
    return false;
}

void check_exchanges(ConnectionCheck& check, const char* name) {
    const std::string proposals = check.value(name, "");
    for (const std::string_view proposal : parts_of(proposals)) {
        if (has_further_exchange(proposal)) {
            check.add(fmt::format("{} has {}", name, proposal),
                      "a node with strongSwan 5.9 refuses the connection; each node needs 6.0");
            return;
        }
    }
}

// The identity that it has without `id` is another one in strongSwan 6.
void check_local_id(ConnectionCheck& check, const StrongswanSection& connection) {
    for (const auto& [name, section] : connection.sections) {
        if (name.starts_with("local") && !name.starts_with("local_") &&
            value_of(section, "auth", "pubkey").starts_with("pubkey") &&
            !section.values.contains("id")) {
            check.add(name + " has no id",
                      "strongSwan 5.9 takes the address, and 6 the name of the certificate");
        }
    }
}

bool is_default(const OnlyDefault& option, const std::string& value) {
    if (option.why == kOwnNumber) {
        return !value.starts_with('%');  // A number of the configuration is the same on all nodes.
    }
    if (option.name == "start_action") {
        return value == option.value || value == "trap";
    }
    if (option.name == "inactivity") {
        return parse_strongswan_seconds(value) == 0;
    }
    return value == option.value;
}

// Of L2TP within IPsec: transport mode, and one port of this side. A child for any port serves old
// Androids, for which the marks are wrong.
void check_marks(ConnectionCheck& check) {
    const std::string local = check.value("local_ts", "dynamic");
    const std::size_t protocol = std::min(local.find('['), local.size());
    const bool has_port = local.find('/', protocol) != std::string::npos;
    if (check.value("mode", "tunnel") != "transport" || !has_port) {
        return;
    }
    for (const Mark& each : kMarks) {
        if (check.value(each.name, "") != each.value) {
            check.add(fmt::format("{} is not {}", each.name, each.value),
                      "of the clients of L2TP behind one NAT address the latest alone is answered; "
                      "write mark_in = %unique, mark_out = %unique and set_mark_in = %same");
            return;
        }
    }
}

// The section's own sections of that name; none: it has none.
const std::map<std::string, StrongswanSection>& below(const StrongswanSection& section,
                                                      const char* name) {
    static const std::map<std::string, StrongswanSection> kNone;
    const auto found = section.sections.find(name);
    return found == section.sections.end() ? kNone : found->second.sections;
}

template <std::size_t size>
void check_defaults(ConnectionCheck& check, const std::array<OnlyDefault, size>& options) {
    for (const OnlyDefault& option : options) {
        const std::string value = check.value(option.name, option.value);
        if (!is_default(option, value)) {
            check.add(fmt::format("{} is {}{}", option.name, value,
                                  option.value.empty() ? std::string()
                                                       : fmt::format(", not {}", option.value)),
                      option.why);
        }
    }
}

}  // namespace

std::vector<std::string> refused_in_connections(const StrongswanSection& all) {
    std::vector<std::string> refused;
    for (const auto& [name, section] : below(all, "connections")) {
        ConnectionCheck check("connection " + name, section, refused);
        check_defaults(check, kRefusedOfConnection);
        for (const auto& [child, settings] : below(section, "children")) {
            ConnectionCheck of_child(fmt::format("connection {}, child {}", name, child), settings,
                                     refused);
            check_defaults(of_child, kRefusedOfChild);
        }
    }
    // A client may use one wherever charon has one: get_ppk_r() of ike_auth.c asks for no ppk_id.
    for (const auto& [name, section] : below(all, "secrets")) {
        if (name.starts_with("ppk")) {
            ConnectionCheck("secrets " + name, section, refused).add("it is a PPK", kPpk);
        }
    }
    return refused;
}

ConnectionFindings findings_in_connections(const StrongswanSection& all,
                                           const std::set<IpAddress>& vips) {
    ConnectionFindings found{refused_in_connections(all), {}};
    if (below(all, "connections").empty()) {
        found.warnings.emplace_back("there are no connections");
    }
    for (const auto& [name, section] : below(all, "connections")) {
        ConnectionCheck check("connection " + name, section, found.warnings);
        check_addresses(check, vips);
        if (check.value("mobike", "").empty()) {
            check.add("mobike is not set, and yes then",
                      "clients learn the node's own addresses, which do not move with the gateway");
        }
        check.has("unique", "no", "never",
                  "a client would end another one behind the same NAT address");
        check.lasts("rekey_time", "4h", hours(8), hours(24));
        check_first_group(check, section);
        check_exchanges(check, "proposals");
        check_local_id(check, section);
        check_defaults(check, kNamedOfConnection);
        check_pools(check, below(all, "pools"));
        for (const auto& [child, settings] : below(section, "children")) {
            ConnectionCheck of_child(fmt::format("connection {}, child {}", name, child), settings,
                                     found.warnings);
            of_child.lasts("rekey_time", "1h", hours(1), hours(8));
            of_child.has("rand_time", "a tenth of the lifetime", "0",
                         "a rekey is to fall due on whatever node is promoted then");
            check_exchanges(of_child, "esp_proposals");
            check_marks(of_child);
            check_defaults(of_child, kNamedOfChild);
        }
    }
    return found;
}

std::vector<std::string> moving_connections(const StrongswanSection& all) {
    std::vector<std::string> names;
    for (const auto& [name, section] : below(all, "connections")) {
        if (value_of(section, "mobike", "yes") != "no" &&
            value_of(section, "version", "0") != "1") {
            names.push_back(name);
        }
    }
    return names;
}

}  // namespace vpnha::config
