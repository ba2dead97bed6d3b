// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/l2tp/service/xl2tpd_service_mute.hpp"

#include <nlohmann/json.hpp>

#include "host/netlink/nftables.hpp"

namespace vpnha::adapters {

namespace {

using nlohmann::json;

json table(const std::string& gateway) {
    return {{"family", "inet"}, {"name", "vpnha_mute_" + gateway}};
}

json matches(const char* protocol, const char* field, const json& value) {
    return {{"match",
             {{"op", "=="},
              {"left", {{"payload", {{"protocol", protocol}, {"field", field}}}}},
              {"right", value}}}};
}

// Adding before deleting makes the deletion succeed when the table was not there.
json removal(const std::string& gateway) {
    return json::array(
        {{{"add", {{"table", table(gateway)}}}}, {{"delete", {{"table", table(gateway)}}}}});
}

void add_direction(json& commands, const std::string& gateway, const Ipv4Endpoint& endpoint,
                   bool in) {
    const char* const name = in ? "input" : "output";
    json chain = table(gateway);
    chain["table"] = chain["name"];
    chain["name"] = name;
    chain["type"] = "filter";
    chain["hook"] = name;
    chain["prio"] = -400;
    chain["policy"] = "accept";
    json rule = {{"family", "inet"}, {"table", chain["table"]}, {"chain", name}};
    rule["expr"] = json::array({matches("ip", in ? "daddr" : "saddr", to_string(endpoint.address)),
                                matches("udp", in ? "dport" : "sport", endpoint.port),
                                {{"drop", nullptr}}});
    commands.push_back({{"add", {{"chain", chain}}}});
    commands.push_back({{"add", {{"rule", rule}}}});
}

}  // namespace

std::string mute_ruleset(const std::string& gateway, const Ipv4Endpoint& endpoint) {
    json commands = removal(gateway);
    commands.push_back({{"add", {{"table", table(gateway)}}}});
    add_direction(commands, gateway, endpoint, true);
    add_direction(commands, gateway, endpoint, false);
    return json{{"nftables", commands}}.dump();
}

Result<void> mute_endpoint(const std::string& gateway, const Ipv4Endpoint& endpoint) {
    return run_nftables(mute_ruleset(gateway, endpoint));
}

Result<void> unmute_endpoint(const std::string& gateway) {
    return run_nftables(json{{"nftables", removal(gateway)}}.dump());
}

}  // namespace vpnha::adapters
