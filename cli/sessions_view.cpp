// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/sessions_view.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/rate.hpp"
#include "cli/table.hpp"

namespace vpnha::cli {

namespace {

using nlohmann::json;

bool has_reason(const json& session) {
    return session.contains("reason");
}

struct Column {
    const char* name;
    const char* title;
    bool by_default;
    Cell (*cell)(const json& session, std::int64_t now_unix_s);
};

Cell text_cell(const json& session, const char* member) {
    return Cell(session.at(member).get<std::string>());
}

// Ours and the peer's. The ids of other protocols are of no use to an operator.
Cell ids_cell(const json& session) {
    std::string text;
    for (const auto& [ours, peers] :
         {std::pair{"tunnel", "peer_tunnel"}, std::pair{"session", "peer_session"},
          std::pair{"call", "peer_call"}}) {
        if (session.contains(ours) && session.contains(peers)) {
            text += fmt::format("{}{}/{}", text.empty() ? "" : " ",
                                session.at(ours).get<std::uint64_t>(),
                                session.at(peers).get<std::uint64_t>());
        }
    }
    return Cell(text.empty() ? "-" : text);
}

Cell networks_cell(const json& session) {
    const auto networks = session.value("networks", std::vector<std::string>());
    return Cell(networks.empty() ? "-" : fmt::format("{}", fmt::join(networks, " ")));
}

// "20M/5M"
Cell bandwidth_cell(const json& session) {
    if (!session.contains("bandwidth")) {
        return Cell("-");
    }
    const json& rate = session.at("bandwidth");
    return Cell(
        to_string(Rate{rate.at("down").get<std::uint64_t>(), rate.at("up").get<std::uint64_t>()}));
}

Cell state_cell(const json& session) {
    const auto state = session.at("state").get<std::string>();
    const bool good = state == "protected" || state == "hot" || state == "resumed";
    return Cell(state, good ? Colour::green : Colour::yellow);
}

constexpr Column kColumns[] = {
    {"id", "ID", true, [](const json& s, std::int64_t) { return text_cell(s, "id"); }},
    {"gateway", "GATEWAY", true,
     [](const json& s, std::int64_t) { return text_cell(s, "gateway"); }},
    {"protocol", "PROTOCOL", false,
     [](const json& s, std::int64_t) { return text_cell(s, "protocol"); }},
    {"user", "USER", true, [](const json& s, std::int64_t) { return text_cell(s, "user"); }},
    {"peer", "PEER", true, [](const json& s, std::int64_t) { return text_cell(s, "peer"); }},
    {"address", "ADDRESS", true,
     [](const json& s, std::int64_t) { return text_cell(s, "address"); }},
    {"networks", "NETWORKS", false, [](const json& s, std::int64_t) { return networks_cell(s); }},
    {"interface", "INTERFACE", true,
     [](const json& s, std::int64_t) { return text_cell(s, "interface"); }},
    {"state", "STATE", true, [](const json& s, std::int64_t) { return state_cell(s); }},
    {"reason", "REASON", false,
     [](const json& s, std::int64_t) {
         return has_reason(s) ? text_cell(s, "reason") : Cell("-");
     }},
    {"ids", "IDS", true, [](const json& s, std::int64_t) { return ids_cell(s); }},
    {"bandwidth", "BANDWIDTH", false,
     [](const json& s, std::int64_t) { return bandwidth_cell(s); }},
    {"owner", "OWNER", false,
     [](const json& s, std::int64_t) {
         const json& owner = s.at("owner");
         return Cell(owner.is_number() ? std::to_string(owner.get<std::uint64_t>()) : "-");
     }},
    {"epoch", "EPOCH", false, [](const json& s, std::int64_t) { return text_cell(s, "epoch"); }},
    {"established", "ESTABLISHED", false,
     [](const json& s, std::int64_t) { return text_cell(s, "established"); }},
    {"age", "AGE", true,
     [](const json& s, std::int64_t now) {
         const std::int64_t since = unix_seconds(s.at("established").get<std::string>());
         return Cell(since < 0 ? "-" : age_text(now - since));
     }},
};

const Column* find_column(const std::string& name) {
    const auto* const found = std::find_if(std::begin(kColumns), std::end(kColumns),
                                           [&](const Column& each) { return each.name == name; });
    return found == std::end(kColumns) ? nullptr : found;
}

// The key that a column is sorted by. The key of an age is its number of seconds, with leading
// zeros, so that the newest session comes first.
std::string key_of(const std::string& column, const json& session, std::int64_t now_unix_s) {
    if (column == "age") {
        const std::int64_t since = unix_seconds(session.at("established").get<std::string>());
        return fmt::format("{:020}", since < 0 ? 0 : std::max<std::int64_t>(now_unix_s - since, 0));
    }
    return find_column(column)->cell(session, now_unix_s).text;
}

std::pair<std::string, std::string> split_where(const std::string& where) {
    const std::size_t equals = std::min(where.find('='), where.size());
    return {where.substr(0, equals), where.substr(std::min(equals + 1, where.size()))};
}

}  // namespace

std::vector<std::string> session_columns() {
    std::vector<std::string> names;
    for (const Column& column : kColumns) {
        names.emplace_back(column.name);
    }
    return names;
}

std::vector<std::string> default_session_columns(const json& result) {
    const json& sessions = result.at("sessions");
    const bool any_reason = std::any_of(sessions.begin(), sessions.end(), has_reason);
    std::vector<std::string> names;
    for (const Column& column : kColumns) {
        if (column.by_default || (any_reason && column.name == std::string_view("reason"))) {
            names.emplace_back(column.name);
        }
    }
    return names;
}

Result<std::vector<std::string>> parse_columns(const std::string& text) {
    std::vector<std::string> names;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        names.push_back(text.substr(at, comma - at));
        if (find_column(names.back()) == nullptr) {
            return fail(Errc::invalid_argument,
                        fmt::format("'{}' is no column; there are {}", names.back(),
                                    fmt::join(session_columns(), ",")));
        }
        at = comma + 1;
    }
    return names;
}

Result<void> check(const SessionsOrder& order) {
    for (const std::string& list : {order.columns, order.sort}) {
        if (!list.empty()) {
            VPNHA_CHECK(parse_columns(list).map([](const auto&) {}));
        }
    }
    for (const std::string& where : order.where) {
        if (where.find('=') == std::string::npos) {
            return fail(Errc::invalid_argument,
                        fmt::format("'{}' is no COLUMN=PATTERN, as user=al*", where));
        }
        VPNHA_CHECK(parse_columns(split_where(where).first).map([](const auto&) {}));
    }
    return {};
}

json select_sessions(const json& result, const SessionsOrder& order, std::int64_t now_unix_s) {
    const std::vector<std::string> columns =
        parse_columns(order.sort.empty() ? "gateway,user,address" : order.sort)
            .value_or(std::vector<std::string>{});
    // Each key is made once: there may be 100 000 sessions.
    std::vector<std::pair<std::vector<std::string>, json>> keyed;
    for (const json& session : result.at("sessions")) {
        const bool is_meant = std::ranges::all_of(order.where, [&](const std::string& where) {
            const auto [column, pattern] = split_where(where);
            const std::string text = find_column(column)->cell(session, now_unix_s).text;
            return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
        });
        if (is_meant) {
            std::vector<std::string> keys;
            for (const std::string& column : columns) {
                keys.push_back(key_of(column, session, now_unix_s));
            }
            keyed.emplace_back(std::move(keys), session);
        }
    }
    std::ranges::stable_sort(keyed, [](const auto& a, const auto& b) {
        for (std::size_t i = 0; i < a.first.size(); ++i) {
            const int order_of_texts = ::strverscmp(a.first[i].c_str(), b.first[i].c_str());
            if (order_of_texts != 0) {
                return order_of_texts < 0;
            }
        }
        return false;
    });
    json selected = result;
    selected["sessions"] = json::array();
    for (auto& [keys, session] : keyed) {
        selected["sessions"].push_back(std::move(session));
    }
    return selected;
}

std::string render_session(const json& session, std::int64_t now_unix_s) {
    std::string text;
    for (const Column& column : kColumns) {
        const std::string value = column.cell(session, now_unix_s).text;
        if (!value.empty() && value != "-") {
            text += fmt::format("{:<12} {}\n", column.name, value);
        }
    }
    return text;
}

std::string render_sessions(const json& result, const std::vector<std::string>& columns,
                            std::int64_t now_unix_s, bool use_colour) {
    std::vector<std::string> header;
    for (const std::string& name : columns) {
        const Column* const column = find_column(name);
        header.emplace_back(column == nullptr ? name : column->title);
    }
    std::vector<Row> rows;
    for (const json& session : result.at("sessions")) {
        Row row;
        for (const std::string& name : columns) {
            const Column* const column = find_column(name);
            row.push_back(column == nullptr ? Cell("-") : column->cell(session, now_unix_s));
        }
        rows.push_back(std::move(row));
    }
    return render_table(header, rows, use_colour);
}

std::int64_t unix_seconds(const std::string& timestamp) {
    std::tm parts{};
    const char* const rest = ::strptime(timestamp.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    return rest == nullptr || (*rest != 'Z' && *rest != '.') ? -1 : ::timegm(&parts);
}

std::string age_text(std::int64_t seconds) {
    // Clocks of two nodes may differ a little.
    const std::int64_t s = std::max<std::int64_t>(seconds, 0);
    if (s < 60) {
        return fmt::format("{}s", s);
    }
    if (s < 3600) {
        return fmt::format("{}m {}s", s / 60, s % 60);
    }
    if (s < 86'400) {
        return fmt::format("{}h {}m", s / 3600, s % 3600 / 60);
    }
    return fmt::format("{}d {}h", s / 86'400, s % 86'400 / 3600);
}

}  // namespace vpnha::cli
