// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/service/ike_rule.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace vpnha::runtime {

namespace {

using nlohmann::json;

constexpr int kPort = 4500;

// The right side of a match: a value, a set of values and ranges, or a list of flags.
bool has(const json& right, const json& value) {
    if (right == value) {
        return true;
    }
    if (right.is_object() && right.contains("set")) {
        return has(right["set"], value);
    }
    return right.is_array() && std::any_of(right.begin(), right.end(),
                                           [&value](const json& each) { return has(each, value); });
}

bool is_match(const json& expression, const json& left, const json& right) {
    const auto match = expression.find("match");
    return match != expression.end() && match->value("op", "") != "!=" &&
           match->value("left", json()) == left && has(match->value("right", json()), right);
}

bool drops(const json& rule) {
    const json to_port{{"payload", {{"protocol", "udp"}, {"field", "dport"}}}};
    const json state{{"ct", {{"key", "state"}}}};
    bool port = false;
    bool is_new = false;
    bool drop = false;
    for (const json& each : rule.value("expr", json::array())) {
        port = port || is_match(each, to_port, kPort);
        is_new = is_new || is_match(each, state, "new");
        drop = drop || each.contains("drop");
    }
    return port && is_new && drop;
}

}  // namespace

Result<bool> drops_new_ike(std::string_view rules) {
    const json all = json::parse(rules, nullptr, false);
    if (!all.is_object() || !all.contains("nftables") || !all["nftables"].is_array()) {
        return fail(Errc::malformed, "the list of nftables' rules is not in the format of nft -j");
    }
    return std::any_of(all["nftables"].begin(), all["nftables"].end(), [](const json& each) {
        const auto rule = each.find("rule");
        return rule != each.end() && rule->is_object() && drops(*rule);
    });
}

}  // namespace vpnha::runtime
