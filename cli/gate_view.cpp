// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/gate_view.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;

constexpr const char* kDirections[] = {"in", "out"};

// By the reason's name; in the order of the output.
constexpr std::pair<const char*, std::string_view> kReasons[] = {
    {"standby", "not promoted here"},          {"expired", "the lease ran out"},
    {"ending", "would end a TCP connection"},  {"cleartext", "L2TP outside of IPsec"},
    {"held", "an ESP SA without its numbers"}, {"drained", "a new client of a drained gateway"}};

Cell state_cell(const json& gateway) {
    const auto state = gateway.at("state").get<std::string>();
    if (state == "shut") {
        return state;
    }
    const auto left = gateway.at("left_ms").get<std::int64_t>();
    return state == "open" ? Cell(fmt::format("open for {} ms", left), Colour::green)
                           : Cell(fmt::format("expired {} ms ago", -left), Colour::yellow);
}

bool is_amiss(const std::string& presence) {
    return presence == "missing" || presence == "foreign" || presence == "behind";
}

Cell presence_cell(const json& device, const char* direction) {
    const auto presence = device.at(direction).get<std::string>();
    if (is_amiss(presence)) {
        return {presence, Colour::red};
    }
    if (presence == "barred") {
        return {presence, Colour::yellow};
    }
    return presence == "no_device" ? Cell("no such device", Colour::yellow) : Cell(presence);
}

std::string names_in(const json& list) {
    std::string text;
    for (const json& name : list) {
        text += fmt::format("{}{}", text.empty() ? "" : ", ", name.get<std::string>());
    }
    return text;
}

void add_drops(std::vector<Row>& rows, const json& gateway) {
    for (const char* direction : kDirections) {
        for (const auto& [reason, words] : kReasons) {
            const json& kinds = gateway.at("drops").at(direction).at(reason);
            const auto packets = [&kinds](const char* kind) {
                return kinds.at(kind).get<std::uint64_t>();
            };
            if (packets("ip") + packets("arp") + packets("nd") != 0) {
                rows.push_back({gateway.at("name").get<std::string>(), direction, words,
                                std::to_string(packets("ip")), std::to_string(packets("arp")),
                                std::to_string(packets("nd"))});
            }
        }
    }
}

constexpr std::pair<const char*, std::string_view> kMoved[] = {
    {"sent_on", "sent on to the new node"},
    {"held", "held until the gate opened"},
    {"looped", "dropped: sent on already"}};

void add_moved(std::vector<Row>& rows, const json& gateway) {
    for (const auto& [kind, words] : kMoved) {
        const auto packets = gateway.at("moved").at(kind).get<std::uint64_t>();
        if (packets != 0) {
            rows.push_back({gateway.at("name").get<std::string>(), words, std::to_string(packets)});
        }
    }
}

}  // namespace

std::string render_gate(const json& gate, bool use_colour) {
    std::vector<Row> states;
    std::vector<Row> devices;
    std::vector<Row> drops;
    std::vector<Row> moved;
    std::vector<Row> before;
    for (const json& gateway : gate.at("gateways")) {
        states.push_back({gateway.at("name").get<std::string>(), state_cell(gateway),
                          names_in(gateway.at("covered"))});
        add_drops(drops, gateway);
        add_moved(moved, gateway);
    }
    for (const json& device : gate.at("devices")) {
        const auto interface = device.at("interface").get<std::string>();
        devices.push_back({interface, presence_cell(device, "in"), presence_cell(device, "out")});
        for (const char* direction : kDirections) {
            const json& programs = device.at("before").at(direction);
            if (!programs.empty()) {
                before.push_back({interface, direction, names_in(programs)});
            }
        }
    }
    const auto with_gap = [](const std::string& table) { return table + "\n"; };
    return with_gap(render_table({"GATEWAY", "GATE", "COVERS"}, states, use_colour)) +
           with_gap(render_table({"DEVICE", "IN", "OUT"}, devices, use_colour)) +
           (before.empty() ? std::string()
                           : with_gap(render_table({"DEVICE", "DIRECTION", "RUNS BEFORE THE GATE"},
                                                   before, use_colour))) +
           (moved.empty() ? std::string()
                          : with_gap(render_table({"GATEWAY", "IN PLANNED MOVES", "IP"}, moved,
                                                  use_colour))) +
           (drops.empty()
                ? std::string("Nothing was dropped.\n")
                : render_table({"GATEWAY", "DIRECTION", "DROPPED BECAUSE", "IP", "ARP", "ND"},
                               drops, use_colour));
}

bool is_gate_whole(const json& gate) {
    for (const json& device : gate.at("devices")) {
        for (const char* direction : kDirections) {
            if (is_amiss(device.at(direction).get<std::string>())) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace vpnha::cli
