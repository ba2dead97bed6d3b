// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/lease/lease_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

using lease::BootId;
using lease::VoterList;
using nlohmann::json;

constexpr int kFormat = 1;

std::string file_of(GatewayId gateway) {
    return fmt::format("gateway-{}.lease", gateway.value);
}

json to_json(const Epoch& epoch) {
    return {{"number", epoch.number}, {"node", epoch.node.value}};
}

json to_json(const VoterList& list) {
    json nodes = json::array();
    for (const NodeId node : list.nodes) {
        nodes.push_back(node.value);
    }
    return {{"epoch", to_json(list.version.epoch)},
            {"change", list.version.change},
            {"nodes", std::move(nodes)}};
}

// Throw json's exceptions when something is missing or of another type: load() catches them.
Epoch epoch_of(const json& value) {
    const Epoch epoch{value.at("number").get<std::uint64_t>(),
                      NodeId{value.at("node").get<std::uint32_t>()}};
    if (epoch.number > limits::kCounterMax) {
        throw json::other_error::create(500, "an epoch beyond its range", &value);
    }
    return epoch;
}

VoterList list_of(const json& value) {
    VoterList list{{epoch_of(value.at("epoch")), value.at("change").get<std::uint32_t>()}, {}};
    for (const json& node : value.at("nodes")) {
        list.nodes.push_back(NodeId{node.get<std::uint32_t>()});
    }
    return list;
}

BootId boot_of(const json& value) {
    const auto octets = value.get<std::vector<unsigned>>();
    BootId boot;
    if (octets.size() != boot.octets.size() ||
        *std::max_element(octets.begin(), octets.end()) > 0xff) {
        throw json::other_error::create(500, "a boot id has 16 octets", &value);
    }
    std::transform(octets.begin(), octets.end(), boot.octets.begin(),
                   [](unsigned octet) { return static_cast<std::uint8_t>(octet); });
    return boot;
}

json to_json(const lease::Durable& durable) {
    json marks = json::array();
    for (const lease::Mark& mark : durable.marks) {
        marks.push_back({{"node", mark.node.value}, {"boot", mark.boot.octets}});
    }
    json file{{"format", kFormat},
              {"claimed", to_json(durable.claimed)},
              {"granted", to_json(durable.granted)},
              {"ordered", to_json(durable.ordered)},
              {"elsewhere", to_json(durable.elsewhere)},
              {"marks", std::move(marks)},
              {"voters", to_json(durable.voters.current)}};
    if (durable.voters.next) {
        file["next_voters"] = to_json(*durable.voters.next);
    }
    return file;
}

std::string text_of(const json& file) {
    return file.dump() + "\n";
}

lease::Durable durable_of(const json& file) {
    lease::Durable durable;
    durable.claimed = epoch_of(file.at("claimed"));
    durable.granted = epoch_of(file.at("granted"));
    durable.ordered = epoch_of(file.at("ordered"));
    durable.elsewhere = epoch_of(file.at("elsewhere"));
    for (const json& mark : file.at("marks")) {
        durable.marks.push_back(
            {NodeId{mark.at("node").get<std::uint32_t>()}, boot_of(mark.at("boot"))});
    }
    durable.voters.current = list_of(file.at("voters"));
    if (file.contains("next_voters")) {
        durable.voters.next = list_of(file.at("next_voters"));
    }
    if (durable.marks.size() > lease::kMarksMax || !is_sound(durable.voters)) {
        throw json::other_error::create(500, "no sound list of marks or voters", &file);
    }
    return durable;
}

// Parses the file with `read`; `advice` is for an operator whose file is damaged.
template <class Value, class Read>
Result<std::optional<Value>> read_file(const StateDirectory& directory, const std::string& name,
                                       const char* advice, const Read& read) {
    VPNHA_TRY(const auto text, directory.read(name));
    if (!text) {
        return std::nullopt;
    }
    try {
        const json file = json::parse(*text);
        if (file.at("format").get<int>() != kFormat) {
            return fail(Errc::unsupported,
                        fmt::format("{} is of another release of vpnha", directory.path_of(name)));
        }
        return read(file);
    } catch (const json::exception& error) {
        return fail(Errc::malformed, fmt::format("{} is damaged ({}). {}", directory.path_of(name),
                                                 error.what(), advice));
    }
}

// Only a witness saves ahead.
constexpr const char* kAhead = "ahead";

}  // namespace

Result<LeaseFiles> LeaseFiles::open(const std::string& directory) {
    VPNHA_TRY(StateDirectory opened, StateDirectory::open(directory));
    return LeaseFiles(std::move(opened));
}

Result<std::optional<lease::Durable>> LeaseFiles::load(GatewayId gateway) const {
    return read_file<lease::Durable>(
        directory_, file_of(gateway),
        "Remove it while a majority of the other nodes runs vpnhad with theirs: they know the "
        "epochs that this node forgets",
        [](const json& file) {
            if (file.contains(kAhead)) {
                throw json::other_error::create(500, "the file is of a witness", &file);
            }
            return durable_of(file);
        });
}

Result<std::optional<lease::Witness::File>> LeaseFiles::load_of_witness(GatewayId gateway) const {
    return read_file<lease::Witness::File>(
        directory_, file_of(gateway),
        "Remove it while all nodes of the gateway run vpnhad: they know the epochs that this "
        "witness forgets",
        [](const json& file) {
            return lease::Witness::File{durable_of(file), file.at(kAhead).get<bool>()};
        });
}

Result<void> LeaseFiles::reserve(GatewayId gateway) const {
    return directory_.reserve(file_of(gateway));
}

Result<void> LeaseFiles::save(GatewayId gateway, const lease::Durable& durable) const {
    return directory_.write(file_of(gateway), text_of(to_json(durable)));
}

Result<void> LeaseFiles::save(GatewayId gateway, const lease::Witness::File& file) const {
    json value = to_json(file.durable);
    value[kAhead] = file.ahead;
    return directory_.write(file_of(gateway), text_of(value));
}

}  // namespace vpnha::adapters
