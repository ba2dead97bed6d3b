// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/fencing_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "host/pacemaker/cib.hpp"

namespace vpnha::runtime {

namespace {

using adapters::CibElement;

struct FenceDevice {
    std::string id;
    std::string type;
    std::map<std::string, std::string> parameters{};  // Without the rules of their sets.

    [[nodiscard]] bool has(const std::string& name) const { return parameters.contains(name); }
    [[nodiscard]] bool is_vpnha() const { return type == "fence_vpnha"; }
    [[nodiscard]] std::string mode() const {
        const auto found = parameters.find("mode");
        return found == parameters.end() ? "" : found->second;
    }
};

struct Fencing {
    std::set<std::string> nodes{};
    std::vector<FenceDevice> devices{};
    std::map<std::string, std::string> properties{};
    std::set<std::string> targets{};  // Nodes with a level of their own.
    bool has_levels = false;
    bool covers_all = false;  // A level whose nodes are selected by a pattern or an attribute.
};

Fencing fencing_in(const adapters::CibElements& elements) {
    Fencing found;
    bool in_properties = false;
    std::optional<FenceDevice> device;
    for (const CibElement& element : elements) {
        if (element.starts("node") && element.attribute("type") != "remote" &&
            !element.attribute("uname").empty()) {
            found.nodes.insert(element.attribute("uname"));
        } else if (element.name == "crm_config") {
            in_properties = element.is_start;
        } else if (element.starts("primitive") && element.attribute("class") == "stonith") {
            device = FenceDevice{element.attribute("id"), element.attribute("type")};
        } else if (element.ends("primitive") && device) {
            found.devices.push_back(*std::exchange(device, std::nullopt));
        } else if (element.starts("nvpair")) {
            const std::string name = element.attribute("name");
            if (device) {
                device->parameters[name] = element.attribute("value");
            } else if (in_properties) {
                found.properties[name] = element.attribute("value");
            }
        } else if (element.starts("fencing-level")) {
            found.has_levels = true;
            const std::string target = element.attribute("target");
            if (target.empty()) {
                found.covers_all = true;
            } else {
                found.targets.insert(target);
            }
        }
    }
    return found;
}

bool is_off(const Fencing& fencing, const std::string& property) {
    const auto found = fencing.properties.find(property);
    static const std::set<std::string> kOff{"false", "0", "no", "off", "n"};
    return found != fencing.properties.end() && kOff.contains(found->second);
}

// Nodes in no device's list of hosts; none if a device finds its hosts by itself.
std::vector<std::string> without_device(const Fencing& fencing) {
    std::vector<std::string> nodes;
    for (const std::string& node : fencing.nodes) {
        const bool has_one = std::ranges::any_of(fencing.devices, [&](const FenceDevice& device) {
            if (device.is_vpnha()) {
                return false;
            }
            const auto hosts = device.parameters.find("pcmk_host_list");
            const auto map = device.parameters.find("pcmk_host_map");
            if (hosts == device.parameters.end() && map == device.parameters.end()) {
                return true;
            }
            std::string names = hosts == device.parameters.end() ? map->second : hosts->second;
            // "gw1 gw2", "gw1,gw2", "gw1:7;gw2:8".
            std::ranges::replace_if(
                names, [](char c) { return c == ',' || c == ';' || c == ':'; }, ' ');
            return (" " + names + " ").find(" " + node + " ") != std::string::npos;
        });
        if (!has_one) {
            nodes.push_back(node);
        }
    }
    return nodes;
}

void judge_pair(const Fencing& fencing, bool has_witness, std::vector<std::string>& wrong) {
    const bool decides_who = std::ranges::any_of(fencing.devices, [](const FenceDevice& device) {
        return device.has("pcmk_delay_max") || device.has("pcmk_delay_base") ||
               device.mode() == "duel" || device.mode() == "yield";
    });
    if (!decides_who && !fencing.properties.contains("priority-fencing-delay")) {
        wrong.emplace_back(
            "two nodes that lose each other switch each other off, and nothing decides which one "
            "is left; add fence_vpnha with mode=yield, or with a witness mode=duel, as "
            "stonith/two-nodes.crm and two-nodes-witness.crm have it");
    }
    for (const FenceDevice& device : fencing.devices) {
        if (device.is_vpnha() && device.mode().empty() && !has_witness) {
            wrong.push_back(fmt::format(
                "{} marks a node by a majority of three voters, and there are two; remove it, or "
                "take the devices of stonith/two-nodes.crm",
                device.id));
        }
    }
}

void judge_devices(const Fencing& fencing, bool has_witness, std::vector<std::string>& wrong) {
    for (const std::string& node : without_device(fencing)) {
        wrong.push_back(fmt::format(
            "no power device has {} among its hosts, so a dead {} blocks each promotion; add it to "
            "pcmk_host_list of a device",
            node, node));
    }
    if (fencing.has_levels && !fencing.covers_all) {
        for (const std::string& node : fencing.nodes) {
            if (!fencing.targets.contains(node)) {
                wrong.push_back(fmt::format(
                    "the fencing topology has no level for {}, and others for other nodes; give it "
                    "the same levels",
                    node));
            }
        }
    }
    for (const std::string& target : fencing.targets) {
        if (!fencing.nodes.contains(target)) {
            wrong.push_back(fmt::format(
                "the fencing topology has a level for {}, and no node has that name; remove it, or "
                "write the node's name",
                target));
        }
    }
    if (fencing.nodes.size() == 2) {
        judge_pair(fencing, has_witness, wrong);
        return;
    }
    for (const FenceDevice& device : fencing.devices) {
        if (device.is_vpnha() && !device.mode().empty()) {
            wrong.push_back(fmt::format(
                "{} has mode={}, which is for two nodes, and there are {}; remove the parameter, "
                "or take stonith/fence-vpnha-then-power.crm",
                device.id, device.mode(), fencing.nodes.size()));
        }
    }
}

}  // namespace

Result<std::vector<std::string>> find_in_fencing(std::string_view configuration, bool has_witness) {
    VPNHA_TRY(const adapters::CibElements elements, adapters::elements_of(configuration));
    const Fencing fencing = fencing_in(elements);
    std::vector<std::string> wrong;
    if (is_off(fencing, "stonith-enabled")) {
        wrong.emplace_back(
            "stonith-enabled is false: a node that hangs is never switched off, and two may serve; "
            "crm configure property stonith-enabled=true");
    }
    const bool has_power = std::ranges::any_of(
        fencing.devices, [](const FenceDevice& device) { return !device.is_vpnha(); });
    // Without a device a watchdog ends the nodes (sbd without a disk).
    const auto watchdog = fencing.properties.find("stonith-watchdog-timeout");
    const bool has_watchdog = watchdog != fencing.properties.end() && watchdog->second != "0";
    if (!has_power && !has_watchdog) {
        wrong.emplace_back(
            "there is no power device: nothing switches a node off, and Pacemaker promotes nobody "
            "while one is lost; docs/use/cluster-templates.md has templates");
    } else if (has_power) {
        judge_devices(fencing, has_witness, wrong);
    }
    return wrong;
}

}  // namespace vpnha::runtime
