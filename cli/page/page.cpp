// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/page/page.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "base/markup.hpp"
#include "cli/cluster_check.hpp"
#include "cli/completion.hpp"
#include "cli/findings.hpp"
#include "cli/page/html.hpp"
#include "cli/page/phases.hpp"
#include "cli/replaced_file.hpp"
#include "cli/sessions_view.hpp"
#include "host/os/utc.hpp"

namespace vpnha::cli::page {

namespace {

using nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

// Of the sessions that would be lost.
constexpr std::size_t kListedMax = 50;

std::string text_of(const json& whole, const char* member) {
    const json& value = whole.at(member);
    return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
}

std::string ms_of(const json& value) {
    return value.is_number() ? fmt::format("{:.1f} ms", value.get<double>()) : "unknown";
}

// "since 2026-11-20T09:46:11Z (2d 4h)"
std::string since(const json& unix_ms, std::uint64_t now_unix_us) {
    if (!unix_ms.is_number()) {
        return {};
    }
    const auto at_us = unix_ms.get<std::uint64_t>() * 1000;
    const auto age =
        static_cast<std::int64_t>((now_unix_us - std::min(at_us, now_unix_us)) / 1'000'000);
    return fmt::format("since {} ({})", adapters::utc_s(at_us), age_text(age));
}

std::string names_of(const json& status, const json& ids) {
    std::vector<std::string> names;
    for (const json& id : ids) {
        names.push_back(node_name(status, id));
    }
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

// The allowed delay of the lease's holder, and the measured one.
std::string margin_of(const json& gateway) {
    const json& rounds = gateway.at("lease").at("rounds");
    return fmt::format("latest round of the day {} late, {} allowed",
                       ms_of(rounds.at("worst_of_day_ms")), ms_of(rounds.at("slack_ms")));
}

std::string table_of(const json& status, const json& gateway, std::uint64_t now_unix_us) {
    const json& records = gateway.at("records");
    const json& sessions = gateway.at("sessions");
    const json& lease = gateway.at("lease");
    Rows rows{
        {"served by", node_name(status, gateway.at("promoted_node"))},
        {"this node", fmt::format("{} {}", text_of(gateway, "role"),
                                  since(gateway.value("role_since_unix_ms", json()), now_unix_us))},
        {"could take over", names_of(status, gateway.at("standbys"))},
        {"replica", fmt::format("{}, {} of {} records", text_of(gateway, "replica"),
                                text_of(records, "count"), text_of(records, "count_max"))},
        {"lag", records.at("lag_ms").is_number() ? ms_of(records.at("lag_ms")) : "not known here"},
        {"lease", fmt::format("{}, epoch {}, reserve of votes {}", text_of(lease, "phase"),
                              text_of(gateway, "epoch"), text_of(lease, "reserve"))},
        {"lease margin", margin_of(gateway)},
        {"gate", text_of(gateway, "gate")},
        {"links", fmt::format("outside {}, inside {}", text_of(gateway.at("links"), "outside"),
                              text_of(gateway.at("links"), "inside"))},
        {"sessions", fmt::format("{}, {} of them protected", text_of(sessions, "total"),
                                 text_of(sessions, "protected"))},
    };
    return html_table({"what", "as this node knows it"}, rows);
}

std::string takeover_of(const json& status, const json& gateway, std::uint64_t now_unix_us) {
    const json& takeover = gateway.at("last_takeover");
    if (takeover.is_null()) {
        return {};
    }
    return fmt::format(
        "<h3>Last takeover by this node</h3>\n<p class=\"lead\">{}</p>\n"
        "<div class=\"scroll\">{}</div>\n",
        escaped_markup(fmt::format("From {}, {}.", node_name(status, takeover.at("from")),
                                   since(takeover.at("unix_ms"), now_unix_us))),
        drawing_of(takeover));
}

// The newest one first.
std::string holders_of(const json& status, const json& gateway, std::uint64_t now_unix_us) {
    Rows rows;
    for (const json& holder : gateway.value("holders", json::array())) {
        rows.insert(rows.begin(),
                    {node_name(status, holder.at("node")),
                     since(holder.at("since_unix_ms"), now_unix_us), text_of(holder, "epoch")});
    }
    // The table above has the node that serves.
    return rows.size() < 2 ? std::string()
                           : fmt::format("<h3>Who has served</h3>\n{}",
                                         html_table({"node", "", "last epoch"}, rows));
}

// By protocol, and by how they are protected.
std::string counts_of(const json& sessions) {
    static constexpr std::array kStates{"protected", "resumed", "hot", "unprotected",
                                        "quarantined"};
    std::map<std::pair<std::string, std::string>, std::map<std::string, std::size_t>> counts;
    for (const json& session : sessions) {
        ++counts[{text_of(session, "gateway"), text_of(session, "protocol")}]
                [text_of(session, "state")];
    }
    Rows rows;
    for (const auto& [place, states] : counts) {
        std::vector<std::string> row{place.first, place.second};
        for (const char* const state : kStates) {
            const auto found = states.find(state);
            row.push_back(std::to_string(found == states.end() ? 0 : found->second));
        }
        rows.push_back(std::move(row));
    }
    std::vector<std::string> header{"gateway", "protocol"};
    header.insert(header.end(), kStates.begin(), kStates.end());
    return html_table(header, rows);
}

// With the reasons. `vpnha session show` has the other data of each.
std::string lost_of(const json& sessions) {
    Rows rows;
    std::size_t count = 0;
    for (const json& session : sessions) {
        if (session.contains("reason") && ++count <= kListedMax) {
            rows.push_back({text_of(session, "id"), text_of(session, "gateway"),
                            text_of(session, "protocol"), text_of(session, "state"),
                            text_of(session, "reason")});
        }
    }
    return rows.empty()
               ? std::string()
               : fmt::format(
                     "<h2>Sessions that would be lost</h2>\n{}{}",
                     html_table({"id", "gateway", "protocol", "state", "reason"}, rows),
                     count > kListedMax
                         ? fmt::format("<p class=\"lead\">And {} more.</p>\n", count - kListedMax)
                         : "");
}

std::string verdict_of(const json& status) {
    std::vector<std::string> texts;
    for (const Finding& finding : findings_of(status)) {
        texts.push_back(finding.text);
    }
    const bool is_good = texts.empty();
    if (is_good) {
        const std::string others = nodes_to_ask(status);
        texts.push_back(others.empty() ? "Every session would survive the loss of its gateway."
                                       : "Nothing is amiss here; the promoted node knows whether "
                                         "sessions are protected: " +
                                             others);
    }
    return fmt::format("<ul class=\"verdict{}\">\n{}</ul>\n", is_good ? " good" : "",
                       html_items(texts));
}

}  // namespace

std::string page_of(const Answers& answers, std::uint64_t now_unix_us) {
    const json& status = answers.status;
    const json& node = status.at("node");
    std::string body = fmt::format(
        "<p class=\"lead\">{}</p>\n{}",
        escaped_markup(fmt::format("As {} saw it at {}. vpnha {}; vpnhad runs on {}; {}.",
                                   text_of(node, "name"), adapters::utc_s(now_unix_us),
                                   text_of(status, "version"),
                                   names_of(status,
                                            [&status] {
                                                json ids = json::array();
                                                for (const json& member : status.at("members")) {
                                                    ids.push_back(member.at("id"));
                                                }
                                                return ids;
                                            }()),
                                   status.at("quorate").get<bool>() ? "quorate" : "no quorum")),
        verdict_of(status));
    for (const json& gateway : status.at("gateways")) {
        body += fmt::format("<h2>Gateway {}</h2>\n{}{}{}", escaped_markup(text_of(gateway, "name")),
                            table_of(status, gateway, now_unix_us),
                            takeover_of(status, gateway, now_unix_us),
                            holders_of(status, gateway, now_unix_us));
    }
    const json& sessions = answers.sessions.at("sessions");
    body += fmt::format("<h2>Sessions</h2>\n{}{}", counts_of(sessions), lost_of(sessions));
    return html_document(fmt::format("VPN gateways, by {}", text_of(node, "name")), body);
}

Rendered ask_page(const Ask& ask, const Result<std::vector<ConstraintFinding>>& constraints) {
    const std::uint64_t now = adapters::unix_us_now();
    const auto rendered = [&]() -> Result<std::string> {
        try {
            Answers answers;
            VPNHA_TRY(answers.status, ask("status", json::object()));
            VPNHA_TRY(answers.sessions, ask("sessions", json::object()));
            add_constraints(answers.status, constraints);
            return page_of(answers, now);
        } catch (const json::exception& error) {
            return tl::unexpected(other_version(error));
        }
    }();
    if (rendered) {
        return {*rendered};
    }
    return {
        html_document("VPN gateways",
                      fmt::format("<p class=\"lead\">At {}.</p>\n<ul class=\"verdict\">\n{}</ul>\n",
                                  adapters::utc_s(now), html_items({rendered.error().detail}))),
        rendered.error()};
}

void add_page(CLI::App& app, const std::function<void(const Order&)>& ordered) {
    const auto order = std::make_shared<Order>();
    CLI::App* const verb = app.add_subcommand(
        "page", "The state of the cluster as one HTML file, without names of users");
    verb->add_option("--output", order->output, "Replaces this file, at once, instead of printing")
        ->type_name(kFileType);
    verb->callback([order, ordered] { ordered(*order); });
}

ExitCode write_page(const Order& order, const SwitchoverPorts& ports) {
    return hand_over(ask_page(ports.ask, check_constraints()), order.output, ports.out, ports.err);
}

}  // namespace vpnha::cli::page
