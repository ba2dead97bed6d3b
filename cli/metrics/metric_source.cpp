// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/metrics/metric_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "cli/findings.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;
using Labels = std::vector<std::pair<std::string, std::string>>;
using Samples = std::vector<Sample>;

// Null if it is missing.
const json& at(const json& whole, const char* pointer) {
    static const json kNothing;
    const json::json_pointer member(pointer);
    return whole.contains(member) ? whole.at(member) : kNothing;
}

std::optional<double> number_at(const json& whole, const std::string& pointer) {
    const json& member = at(whole, pointer.c_str());
    if (member.is_boolean()) {
        return member.get<bool>() ? 1 : 0;
    }
    if (member.is_array()) {
        return static_cast<double>(member.size());
    }
    return member.is_number() ? std::optional(member.get<double>()) : std::nullopt;
}

std::optional<double> seconds_at(const json& whole, const std::string& pointer) {
    const auto ms = number_at(whole, pointer);
    return ms ? std::optional(*ms / 1000) : std::nullopt;
}

std::optional<double> epoch_at(const json& whole, const std::string& pointer) {
    const json& member = at(whole, pointer.c_str());
    std::uint64_t number = 0;
    if (!member.is_string()) {
        return std::nullopt;
    }
    const auto& text = member.get_ref<const std::string&>();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() ? std::optional(static_cast<double>(number)) : std::nullopt;
}

void add(Samples& samples, Labels labels, std::optional<double> value) {
    if (value) {
        samples.push_back({std::move(labels), *value});
    }
}

void add_states(Samples& samples, const Labels& labels, const States& states, const json& whole) {
    const json& member = at(whole, states.member.c_str());
    if (!member.is_string()) {
        return;
    }
    for (const std::string& state : states.states) {
        Labels all = labels;
        all.emplace_back(states.label, state);
        add(samples, std::move(all), member == state ? 1 : 0);
    }
}

// "/lease/left_ms" as the documents write it: "lease.left_ms".
std::string dotted(std::string pointer) {
    std::replace(pointer.begin(), pointer.end(), '/', '.');
    return pointer.substr(1);
}

std::string dotted(const Split& split) {
    std::string text;
    for (const auto& [value, member] : split.values_and_members) {
        text += fmt::format("{}`{}`", text.empty() ? "" : ", ", dotted(member));
    }
    return text;
}

std::string of_status(const std::string& member) {
    return fmt::format("`status`: `{}`", dotted(member));
}

std::string of_status_gateways(const std::string& member) {
    return fmt::format("`status`: `gateways[].{}`", dotted(member));
}

using OfGateway = std::function<void(Samples&, const std::string& name, const json& gateway)>;

// Those of each gateway of a result that has a name.
Samples each_gateway(const json& result, const OfGateway& add_samples) {
    Samples samples;
    for (const json& gateway : at(result, "/gateways")) {
        if (const json& name = at(gateway, "/name"); name.is_string()) {
            add_samples(samples, name.get<std::string>(), gateway);
        }
    }
    return samples;
}

MetricSource of_each_gateway(json Answers::*answer, const std::string& labels, std::string members,
                             OfGateway add_samples) {
    return {"gateway" + (labels.empty() ? "" : ", " + labels), std::move(members),
            [answer, add_samples = std::move(add_samples)](const Answers& answers) {
                return each_gateway(answers.*answer, add_samples);
            }};
}

MetricSource each_status_gateway(const std::string& labels, std::string members,
                                 OfGateway add_samples) {
    return of_each_gateway(&Answers::status, labels, std::move(members), std::move(add_samples));
}

MetricSource each_gate_gateway(const std::string& labels, std::string members,
                               OfGateway add_samples) {
    return of_each_gateway(&Answers::gate, labels, std::move(members), std::move(add_samples));
}

// One sample a gateway: `read` computes it from the member.
using Read = std::optional<double> (*)(const json& whole, const std::string& pointer);
OfGateway one_sample(std::string member, Read read) {
    return [member = std::move(member), read](Samples& samples, const std::string& name,
                                              const json& gateway) {
        add(samples, {{"gateway", name}}, read(gateway, member));
    };
}

MetricSource one_of_gateways(const std::string& member, Read read) {
    return each_status_gateway("", of_status_gateways(member), one_sample(member, read));
}

OfGateway one_of_states(States states) {
    return [states = std::move(states)](Samples& samples, const std::string& name,
                                        const json& gateway) {
        add_states(samples, {{"gateway", name}}, states, gateway);
    };
}

void add_split(Samples& samples, const Labels& labels, const Split& split, const json& whole) {
    for (const auto& [value, member] : split.values_and_members) {
        Labels all = labels;
        all.emplace_back(split.label, value);
        add(samples, std::move(all), number_at(whole, member));
    }
}

}  // namespace

MetricSource of_node(std::string member) {
    std::string members = of_status(member);
    return {"", std::move(members), [member = std::move(member)](const Answers& answers) {
                Samples samples;
                add(samples, {}, number_at(answers.status, member));
                return samples;
            }};
}

MetricSource of_gateways(const std::string& member) {
    return one_of_gateways(member, number_at);
}

MetricSource seconds_of_gateways(const std::string& member) {
    return one_of_gateways(member, seconds_at);
}

MetricSource epoch_of_gateways(const std::string& member) {
    return one_of_gateways(member, epoch_at);
}

MetricSource states_of_gateways(const States& states) {
    return each_status_gateway(states.label, of_status_gateways(states.member),
                               one_of_states(states));
}

MetricSource nodes_of_gateways(const std::string& member) {
    return each_status_gateway(
        "node", of_status_gateways(member),
        [member](Samples& samples, const std::string& name, const json& gateway) {
            std::set<json> nodes;
            const json& listed = at(gateway, member.c_str());
            for (const json& list : {at(gateway, "/lease/voters"), listed}) {
                nodes.insert(list.begin(), list.end());
            }
            for (const json& node : nodes) {
                const bool is_listed = std::count(listed.begin(), listed.end(), node) != 0;
                add(samples, {{"gateway", name}, {"node", node.dump()}}, is_listed ? 1 : 0);
            }
        });
}

MetricSource split_of_node(Split split) {
    const std::string label = split.label;
    std::string members = "`status`: " + dotted(split);
    return {label, std::move(members), [split = std::move(split)](const Answers& answers) {
                Samples samples;
                add_split(samples, {}, split, answers.status);
                return samples;
            }};
}

MetricSource split_of_gateways(Split split) {
    const std::string label = split.label;
    std::string members = "`status`, `gateways[]`: " + dotted(split);
    return each_status_gateway(
        label, std::move(members),
        [split = std::move(split)](Samples& samples, const std::string& name, const json& gateway) {
            add_split(samples, {{"gateway", name}}, split, gateway);
        });
}

MetricSource pppds(double (*read)(const PppdUse& use)) {
    return {"", "`/proc`", [read](const Answers& answers) {
                Samples samples;
                add(samples, {},
                    answers.pppds ? std::optional(read(*answers.pppds)) : std::nullopt);
                return samples;
            }};
}

MetricSource build_info() {
    return {
        "version, wire", "`status`: `version`, `wire_version`", [](const Answers& answers) {
            Samples samples;
            const json& version = at(answers.status, "/version");
            const json& wire = at(answers.status, "/wire_version");
            if (version.is_string() && wire.is_number()) {
                add(samples, {{"version", version.get<std::string>()}, {"wire", wire.dump()}}, 1);
            }
            return samples;
        }};
}

MetricSource incompatible_members() {
    return {"", "`status`: `members[].compatible`", [](const Answers& answers) {
                Samples samples;
                if (const json& members = at(answers.status, "/members"); members.is_array()) {
                    add(samples, {},
                        static_cast<double>(
                            std::count_if(members.begin(), members.end(), [](const json& member) {
                                return at(member, "/compatible") == false;
                            })));
                }
                return samples;
            }};
}

MetricSource differences() {
    return {"weight", "`status`: `differences[].weight`", [](const Answers& answers) {
                Samples samples;
                const json& list = at(answers.status, "/differences");
                for (const char* weight : {"session", "note"}) {
                    if (list.is_array()) {
                        add(samples, {{"weight", weight}},
                            static_cast<double>(std::count_if(
                                list.begin(), list.end(), [weight](const json& difference) {
                                    return at(difference, "/weight") == weight;
                                })));
                    }
                }
                return samples;
            }};
}

MetricSource promoted_known() {
    return each_status_gateway(
        "", "`status`: `gateways[].promoted_node`",
        [](Samples& samples, const std::string& name, const json& gateway) {
            if (gateway.contains("promoted_node")) {
                add(samples, {{"gateway", name}}, gateway.at("promoted_node").is_null() ? 0 : 1);
            }
        });
}

MetricSource session_states() {
    return each_status_gateway(
        "proto, state", "`status`: `gateways[].sessions`",
        [](Samples& samples, const std::string& name, const json& gateway) {
            const auto add_state = [&](const char* state, std::optional<double> count) {
                add(samples, {{"gateway", name}, {"proto", "l2tp"}, {"state", state}}, count);
            };
            // There, the protected ones include the resumed; here, each session counts once.
            const auto kept = number_at(gateway, "/sessions/protected");
            const auto resumed = number_at(gateway, "/sessions/resumed");
            if (kept && resumed) {
                add_state("protected", *kept - *resumed);
            }
            add_state("resumed", resumed);
            for (const char* state : {"unprotected", "hot", "quarantined"}) {
                add_state(state, number_at(gateway, fmt::format("/sessions/{}", state)));
            }
        });
}

MetricSource link_states() {
    return each_status_gateway(
        "side, state", "`status`: `gateways[].links`",
        [](Samples& samples, const std::string& name, const json& gateway) {
            for (const char* side : {"outside", "inside"}) {
                add_states(samples, {{"gateway", name}, {"side", side}},
                           {"state",
                            fmt::format("/links/{}", side),
                            {"good", "no-carrier", "no-answer", "settling", "unknown"}},
                           gateway);
            }
        });
}

MetricSource votes() {
    return each_status_gateway(
        "node", "`status`: `gateways[].lease.votes[]`",
        [](Samples& samples, const std::string& name, const json& gateway) {
            for (const json& vote : at(gateway, "/lease/votes")) {
                const json& node = at(vote, "/node");
                add(samples,
                    {{"gateway", name}, {"node", node == kWitnessId ? "witness" : node.dump()}},
                    at(vote, "/counts") == true ? 1 : 0);
            }
        });
}

MetricSource histogram_of_gateways(const HistogramAt& places) {
    return each_status_gateway(
        "le", of_status_gateways(places.counts),
        [places](Samples& samples, const std::string& name, const json& gateway) {
            const json& bounds = at(gateway, places.bounds_ms.c_str());
            const json& counts = at(gateway, places.counts.c_str());
            if (!counts.is_array()) {
                return;
            }
            double count = 0;
            for (std::size_t i = 0; i < counts.size(); ++i) {
                count += counts[i].get<double>();
                const std::string le =
                    i < bounds.size() ? fmt::format("{}", bounds[i].get<double>() / 1000) : "+Inf";
                samples.push_back({{{"gateway", name}, {"le", le}}, count, "_bucket"});
            }
            const std::optional<double> sum = seconds_at(gateway, places.sum_ms);
            samples.push_back({{{"gateway", name}}, sum.value_or(0), "_sum"});
            samples.push_back({{{"gateway", name}}, count, "_count"});
        });
}

MetricSource dead_services() {
    return {"gateway", fmt::format("`{}`", adapters::kProbeVerdicts), [](const Answers& answers) {
                Samples samples;
                for (const ProbeMark& mark : answers.probes) {
                    add(samples, {{"gateway", mark.gateway}}, mark.is_dead ? 1 : 0);
                }
                return samples;
            }};
}

MetricSource takeover_phases() {
    return each_status_gateway(
        "phase", of_status_gateways("/last_takeover/phases_ms"),
        [](Samples& samples, const std::string& name, const json& gateway) {
            for (const auto& [phase, took] : at(gateway, "/last_takeover/phases_ms").items()) {
                add(samples, {{"gateway", name}, {"phase", phase}}, took.get<double>() / 1000);
            }
        });
}

MetricSource gate_states() {
    return each_gate_gateway("state", "`gate`: `gateways[].state`",
                             one_of_states({"state", "/state", {"open", "expired", "shut"}}));
}

MetricSource gate_seconds() {
    return each_gate_gateway("", "`gate`: `gateways[].left_ms`",
                             one_sample("/left_ms", seconds_at));
}

MetricSource gate_devices() {
    return {
        "interface, direction", "`gate`: `devices[]`", [](const Answers& answers) {
            Samples samples;
            for (const json& device : at(answers.gate, "/devices")) {
                for (const char* direction : {"in", "out"}) {
                    const json& interface = at(device, "/interface");
                    const json& presence = at(device, fmt::format("/{}", direction).c_str());
                    // A device that is missing, or barred, forwards nothing.
                    if (interface.is_string() && presence.is_string() && presence != "no_device" &&
                        presence != "barred") {
                        add(samples,
                            {{"interface", interface.get<std::string>()}, {"direction", direction}},
                            presence == "attached" ? 1 : 0);
                    }
                }
            }
            return samples;
        }};
}

MetricSource gate_barred() {
    return {
        "interface", "`gate`: `devices[]`", [](const Answers& answers) {
            Samples samples;
            for (const json& device : at(answers.gate, "/devices")) {
                const json& interface = at(device, "/interface");
                const json& out = at(device, "/out");
                if (interface.is_string() && out.is_string() && out != "no_device") {
                    const bool is_barred = out == "barred" || at(device, "/in") == "barred";
                    add(samples, {{"interface", interface.get<std::string>()}}, is_barred ? 1 : 0);
                }
            }
            return samples;
        }};
}

MetricSource gate_drops() {
    return each_gate_gateway(
        "direction, reason, kind", "`gate`: `gateways[].drops`",
        [](Samples& samples, const std::string& name, const json& gateway) {
            for (const char* direction : {"in", "out"}) {
                for (const char* reason :
                     {"standby", "expired", "ending", "cleartext", "held", "drained"}) {
                    for (const char* kind : {"ip", "arp", "nd"}) {
                        add(samples,
                            {{"gateway", name},
                             {"direction", direction},
                             {"reason", reason},
                             {"kind", kind}},
                            number_at(gateway,
                                      fmt::format("/drops/{}/{}/{}", direction, reason, kind)));
                    }
                }
            }
        });
}

MetricSource gate_moved() {
    return each_gate_gateway("kind", "`gate`: `gateways[].moved`",
                             [](Samples& samples, const std::string& name, const json& gateway) {
                                 for (const char* kind : {"sent_on", "held", "looped"}) {
                                     add(samples, {{"gateway", name}, {"kind", kind}},
                                         number_at(gateway, fmt::format("/moved/{}", kind)));
                                 }
                             });
}

}  // namespace vpnha::cli
