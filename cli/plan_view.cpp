// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/plan_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/table.hpp"
#include "host/pacemaker/cib.hpp"
#include "host/services/probe_verdicts.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;

std::string name_of(const json& candidate) {
    const auto id = candidate.at("node").get<std::uint64_t>();
    const json& name = candidate.at("name");
    return name.is_string() ? fmt::format("{} ({})", name.get<std::string>(), id)
                            : fmt::format("node {}", id);
}

std::string node_text(const json& id) {
    return id.is_number() ? fmt::format("node {}", id.get<std::uint64_t>()) : "any node";
}

std::string outcome_of(const json& gateway) {
    const auto sessions = gateway.at("sessions").get<std::uint64_t>();
    const auto lost = gateway.at("lost").get<std::uint64_t>();
    if (gateway.at("stays").get<bool>()) {
        return fmt::format("{} keeps serving, no session is touched",
                           node_text(gateway.at("promoted_node")));
    }
    if (gateway.at("candidates").empty()) {
        return sessions == 0
                   ? "no node could take over"
                   : fmt::format("no node could take over, all {} sessions are lost", sessions);
    }
    return lost == 0 ? fmt::format("all {} sessions continue", sessions)
                     : fmt::format("up to {} of {} sessions are lost", lost, sessions);
}

std::string promotion_of(const json& gateway, const json& candidate) {
    if (!candidate.at("may_be_promoted").get<bool>()) {
        return "no";
    }
    const json& all = gateway.at("candidates");
    const auto equal = std::count_if(all.begin(), all.end(), [](const json& each) {
        return each.at("may_be_promoted").get<bool>();
    });
    return equal == 1 ? "yes" : "maybe";
}

// Of an attribute of each node that has it, by the node's id.
std::map<std::string, std::string> marks_in(const adapters::CibElements& status,
                                            const std::string& attribute) {
    std::map<std::string, std::string> marks;
    std::string node;
    for (const adapters::CibElement& each : status) {
        if (each.starts("node_state")) {
            node = each.attribute("id");
        } else if (each.starts("nvpair") && each.attribute("name") == attribute) {
            marks[node] = each.attribute("value");
        }
    }
    return marks;
}

bool is_dead(const json& candidate) {
    return candidate.value("service", json()) == "dead";
}

void prefer_living(json& gateway) {
    json& candidates = gateway.at("candidates");
    const auto may_be_promoted = [](const json& each) {
        return each.at("may_be_promoted").get<bool>();
    };
    if (std::none_of(candidates.begin(), candidates.end(),
                     [&](const json& each) { return may_be_promoted(each) && !is_dead(each); })) {
        return;
    }
    std::uint64_t lost = 0;
    for (json& each : candidates) {
        each["may_be_promoted"] = may_be_promoted(each) && !is_dead(each);
        lost = may_be_promoted(each) ? std::max(lost, each.at("lost").get<std::uint64_t>()) : lost;
    }
    gateway["lost"] = lost;
}

}  // namespace

void add_marks(json& plan, const Result<std::string>& cib_status) {
    const auto status = cib_status.and_then(adapters::elements_of);
    if (!status) {
        return;
    }
    for (json& gateway : plan.at("gateways")) {
        const auto marks =
            marks_in(*status, adapters::kProbeMark + gateway.at("name").get<std::string>());
        for (json& candidate : gateway.at("candidates")) {
            const auto mark = marks.find(candidate.at("node").dump());
            candidate["service"] = mark == marks.end() ? json() : json(mark->second);
        }
        prefer_living(gateway);
    }
}

std::string render_plan(const json& plan, bool use_colour) {
    std::string text;
    for (const json& gateway : plan.at("gateways")) {
        const bool good = gateway.at("lost") == 0;
        text += fmt::format(
            "{}Gateway {} without {}: {}.\n", text.empty() ? "" : "\n",
            printable(gateway.at("name").get<std::string>()), node_text(gateway.at("without")),
            paint(outcome_of(gateway), good ? Colour::green : Colour::red, use_colour));
        const json& candidates = gateway.at("candidates");
        const bool is_probed = std::ranges::any_of(
            candidates, [](const json& each) { return each.value("service", json()).is_string(); });
        std::vector<std::string> header{"NODE", "STANDING", "PROMOTED", "KEPT", "LOST"};
        if (is_probed) {
            header.emplace_back("SERVICE");
        }
        std::vector<Row> rows;
        for (const json& candidate : candidates) {
            const bool known = candidate.at("known").get<bool>();
            const auto lost = candidate.at("lost").get<std::uint64_t>();
            rows.push_back(
                {name_of(candidate),
                 candidate.at("standing").get<std::string>(),
                 promotion_of(gateway, candidate),
                 known ? std::to_string(candidate.at("kept").get<std::uint64_t>()) : "unknown",
                 {std::to_string(lost), lost == 0 ? Colour::plain : Colour::red}});
            if (is_probed) {
                const json& service = candidate.at("service");
                rows.back().emplace_back(service.is_string() ? service.get<std::string>() : "-",
                                         is_dead(candidate) ? Colour::red : Colour::plain);
            }
        }
        if (!rows.empty()) {
            text += render_table(header, rows, use_colour);
        }
    }
    return text;
}

std::uint64_t lost_sessions(const json& plan) {
    std::uint64_t lost = 0;
    for (const json& gateway : plan.at("gateways")) {
        lost += gateway.at("lost").get<std::uint64_t>();
    }
    return lost;
}

}  // namespace vpnha::cli
