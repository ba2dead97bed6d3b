// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe_health.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace vpnha::agents {

using nlohmann::json;
using Verdict = ProbeHealth::Verdict;

void ProbeHealth::answered(unsigned wanted, std::chrono::seconds now) {
    ++against;
    if (verdict != Verdict::dead || against >= wanted) {
        since = verdict == Verdict::alive ? since : now;
        verdict = Verdict::alive;
        against = 0;
        reason.clear();
    }
}

void ProbeHealth::unanswered(std::string why, unsigned wanted,
                             const std::function<bool()>& is_proven, std::chrono::seconds now) {
    reason = std::move(why);
    against = verdict == Verdict::dead ? 0 : std::min(against + 1, wanted);
    if (verdict != Verdict::dead && against == wanted &&
        (verdict == Verdict::alive || is_proven())) {
        verdict = Verdict::dead;
        against = 0;
        since = now;
    }
}

void ProbeHealth::not_asked() {
    against = 0;
    without_login = 0;
    if (verdict != Verdict::dead) {
        reason.clear();
    }
}

std::string ProbeHealth::text(const std::string& gateway) const {
    return json{{"gateway", gateway},     {"verdict", to_string(verdict)},  {"against", against},
                {"since", since.count()}, {"without_login", without_login}, {"reason", reason}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
}

ProbeHealth ProbeHealth::of_text(const std::string& text) {
    const json read = json::parse(text, nullptr, false);
    ProbeHealth health;
    if (!read.is_object()) {
        return health;
    }
    const std::string verdict = read.value("verdict", "");
    health.verdict = verdict == "alive"  ? Verdict::alive
                     : verdict == "dead" ? Verdict::dead
                                         : Verdict::unknown;
    health.against = read.value("against", 0U);
    health.since = std::chrono::seconds(read.value("since", std::int64_t{0}));
    health.reason = read.value("reason", "");
    health.without_login = read.value("without_login", 0U);
    return health;
}

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::alive:
            return "alive";
        case Verdict::dead:
            return "dead";
        case Verdict::unknown:
            break;
    }
    return "";
}

}  // namespace vpnha::agents
