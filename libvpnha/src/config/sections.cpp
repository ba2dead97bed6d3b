// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/assert.hpp"

namespace vpnha::config {

namespace {

// A protocol is served when the gateway has its table.
struct Protocol {
    bool (*is_served)(const Gateway&) = nullptr;
    void (*serve)(Gateway&) = nullptr;
};
template <auto kMember>
constexpr Protocol kProtocol{[](const Gateway& gateway) { return (gateway.*kMember).has_value(); },
                             [](Gateway& gateway) { (gateway.*kMember).emplace(); }};

struct Row {
    Section section;
    std::string_view name;
    std::string_view help;
    bool required = false;  // In each gateway.
    Protocol protocol;      // Empty: it is none.
};

// The one list of the tables, in the order of the file and of the enumeration.
constexpr Row kRows[] = {
    {Section::cluster, "cluster", "The cluster that this node belongs to.", false, {}},
    {Section::daemon, "daemon", "vpnhad on this node.", false, {}},
    {Section::replication, "replication", "How records reach the standbys.", false, {}},
    {Section::lease,
     "lease",
     "The promoted node's right to speak, by promises of a majority of the nodes.",
     false,
     {}},
    {Section::fencing, "fencing", "What this node does when the others have fenced it.", false, {}},
    {Section::radius,
     "radius",
     "The servers to which vpnhad accounts for the sessions of gateways with 'accounting'.",
     false,
     {}},
    {Section::admission,
     "admission",
     "How much of this node may be used, in percent, before it takes no new clients. It takes them "
     "again when it is 5 percent less. 0: however much.",
     false,
     {}},
    {Section::gateway,
     "gateway",
     "A gateway: addresses and sessions that fail over together. One table each.",
     false,
     {}},
    {Section::outside, "outside", "The side on which clients dial in.", true, {}},
    {Section::inside, "inside", "The side on which the clients' traffic goes on.", true, {}},
    {Section::links,
     "links",
     "When a promoted node whose outside or inside link is lost gives the gateway away.",
     false,
     {}},
    {Section::l2tp, "l2tp",
     "The gateway's L2TP service, next to the stock xl2tpd. The table may be empty; without it the "
     "gateway serves no L2TP.",
     false, kProtocol<&Gateway::l2tp>},
    {Section::pptp, "pptp",
     "The gateway's PPTP service, by the stock pptpd. The table may be empty; without it the "
     "gateway serves no PPTP, and the gate leaves TCP port 1723 of its addresses alone.",
     false, kProtocol<&Gateway::pptp>},
    {Section::ipsec, "ipsec",
     "IKE and ESP by the stock charon, for L2TP within IPsec and for IKEv2. The table may be "
     "empty; without it the gateway serves no IPsec. One gateway of a configuration may have it: "
     "a node has one charon.",
     false, kProtocol<&Gateway::ipsec>},
    {Section::conntrack,
     "conntrack",
     "Which flows of the kernel's connection tracking go on after a takeover.",
     false,
     {}},
};

constexpr std::size_t kSectionCount = std::size(kRows);

constexpr std::array<Section, kSectionCount> kSections = [] {
    std::array<Section, kSectionCount> sections{};
    std::transform(std::begin(kRows), std::end(kRows), sections.begin(),
                   [](const Row& row) { return row.section; });
    return sections;
}();

// row_of() finds by the number.
static_assert([] {
    for (std::size_t i = 0; i < kSectionCount; ++i) {
        if (static_cast<std::size_t>(kRows[i].section) != i) {
            return false;
        }
    }
    return true;
}());

const Row& row_of(Section section) {
    const auto number = static_cast<std::size_t>(section);
    VPNHA_ASSERT(number < kSectionCount);
    return kRows[number];
}

}  // namespace

std::span<const Section> all_sections() {
    return kSections;
}

bool is_per_gateway(Section section) {
    return section >= Section::gateway;
}

bool is_required(Section section) {
    return row_of(section).required;
}

bool is_protocol(Section section) {
    return row_of(section).protocol.serve != nullptr;
}

bool has_section(const Gateway& gateway, Section section) {
    return !is_protocol(section) || row_of(section).protocol.is_served(gateway);
}

void add_section(Gateway& gateway, Section section) {
    if (is_protocol(section)) {
        row_of(section).protocol.serve(gateway);
    }
}

std::string_view name_of(Section section) {
    return row_of(section).name;
}

std::string header_of(Section section, std::string_view gateway) {
    if (section == Section::gateway) {
        return fmt::format("gateway.{}", gateway);
    }
    return is_per_gateway(section) ? fmt::format("gateway.{}.{}", gateway, name_of(section))
                                   : std::string(name_of(section));
}

std::string_view help_of(Section section) {
    return row_of(section).help;
}

}  // namespace vpnha::config
