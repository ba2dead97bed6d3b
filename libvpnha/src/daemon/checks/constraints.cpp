// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/checks/constraints.hpp"

#include <fmt/format.h>
#include <regex.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>

#include "host/pacemaker/cib.hpp"

namespace vpnha::runtime {

namespace {

using adapters::CibElement;
using Elements = std::vector<const CibElement*>;
using std::chrono::sys_seconds;

// Pacemaker's: a sum never leaves this range.
constexpr long kInfinity = 1'000'000;
// The score of a planned move, which is above every other score of vpnhad.
constexpr long kOverriding = 10'000;

bool is_word(const std::string& text, const char* word) {
    return ::strcasecmp(text.c_str(), word) == 0;
}

long weight_of(const std::string& score) {
    if (is_word(score, "INFINITY") || is_word(score, "+INFINITY")) {
        return kInfinity;
    }
    if (is_word(score, "-INFINITY")) {
        return -kInfinity;
    }
    long weight = 0;
    const char* const first = score.data() + (score.starts_with('+') ? 1 : 0);
    std::from_chars(first, score.data() + score.size(), weight);
    return weight;
}

// Resources of the CIB by their ids. A gateway has several: its primitive's and its clone's.
struct Resources {
    std::set<std::string> gateways{};
    std::set<std::string> clones{};

    [[nodiscard]] bool is_gateway(const std::string& id) const { return gateways.contains(id); }
    [[nodiscard]] bool matches_gateway(const std::string& pattern) const {
        const bool inverted = pattern.starts_with('!');
        // The C library's, as in Pacemaker.
        regex_t wanted;
        if (::regcomp(&wanted, pattern.c_str() + (inverted ? 1 : 0), REG_EXTENDED | REG_NOSUB)) {
            return false;  // Pacemaker ignores such a constraint.
        }
        const bool matches =
            std::any_of(gateways.begin(), gateways.end(), [&](const std::string& id) {
                return (::regexec(&wanted, id.c_str(), 0, nullptr, 0) == 0) != inverted;
            });
        ::regfree(&wanted);
        return matches;
    }
};

bool is_checkpoint(const CibElement& element) {
    return element.attribute("class") == "ocf" && element.attribute("provider") == "vpnha" &&
           element.attribute("type") == "checkpoint";
}

Resources resources_in(const adapters::CibElements& elements) {
    Resources found;
    std::set<std::string> templates;
    for (const CibElement& element : elements) {
        if (element.starts("template") && is_checkpoint(element)) {
            templates.insert(element.attribute("id"));
        }
    }
    std::vector<std::string> around;
    for (const CibElement& element : elements) {
        const bool is_clone = element.starts("clone");
        if (is_clone || element.starts("group")) {
            around.push_back(element.attribute("id"));
        }
        if (is_clone) {
            found.clones.insert(around.back());
        }
        if (element.ends("clone") || element.ends("group")) {
            around.pop_back();
        }
        if (element.starts("primitive") &&
            (is_checkpoint(element) || templates.contains(element.attribute("template")))) {
            found.gateways.insert(element.attribute("id"));
            found.gateways.insert(around.begin(), around.end());
        }
    }
    return found;
}

std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t size) {
    int number = 0;
    if (at + size > text.size()) {
        return std::nullopt;
    }
    const char* const end = text.data() + at + size;
    const auto parsed = std::from_chars(text.data() + at, end, number);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

// "2026-11-26 08:59:57Z", with 'T' or with an offset ("+01:00"); nothing for any other form.
std::optional<sys_seconds> time_of(std::string_view text) {
    const auto year = number_at(text, 0, 4);
    const auto month = number_at(text, 5, 2);
    const auto day = number_at(text, 8, 2);
    if (!year || !month || !day) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date(std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)});
    if (!date.ok()) {
        return std::nullopt;
    }
    sys_seconds time = std::chrono::sys_days(date) +
                       std::chrono::hours(number_at(text, 11, 2).value_or(0)) +
                       std::chrono::minutes(number_at(text, 14, 2).value_or(0)) +
                       std::chrono::seconds(number_at(text, 17, 2).value_or(0));
    const std::size_t sign = text.find_last_of("+-");
    if (sign != std::string_view::npos && sign > 10) {
        const auto offset = std::chrono::hours(number_at(text, sign + 1, 2).value_or(0)) +
                            std::chrono::minutes(number_at(text, sign + 4, 2).value_or(0));
        time += text[sign] == '+' ? -offset : offset;
    }
    return time;
}

// A rule of a location constraint, with its content.
struct Rule {
    const CibElement* element = nullptr;
    Elements expressions{};
    Elements dates{};

    [[nodiscard]] bool holds_at(sys_seconds now) const {
        if (element->attribute("boolean-op") == "or") {
            return true;
        }
        return std::none_of(dates.begin(), dates.end(), [now](const CibElement* date) {
            const auto start = time_of(date->attribute("start"));
            const auto end = time_of(date->attribute("end"));
            return (start && now < *start) || (end && now >= *end);
        });
    }
    // "gw3", or the condition for a node.
    [[nodiscard]] std::string where() const {
        std::vector<std::string> conditions;
        for (const CibElement* const each : expressions) {
            const std::string operation = each->attribute("operation");
            const std::string value = each->attribute("value");
            if (each->attribute("attribute") == "#uname" && operation == "eq") {
                conditions.push_back(value);
            } else {
                conditions.push_back(fmt::format("any node with {} {}{}{}",
                                                 each->attribute("attribute"), operation,
                                                 value.empty() ? "" : " ", value));
            }
        }
        const char* const joint = element->attribute("boolean-op") == "or" ? " or " : " and ";
        return conditions.empty() ? "any node" : fmt::format("{}", fmt::join(conditions, joint));
    }
    [[nodiscard]] std::string until() const {
        for (const CibElement* const date : dates) {
            if (const std::string end = date->attribute("end"); !end.empty()) {
                return " until " + end;
            }
        }
        return {};
    }
};

struct Location {
    const CibElement* element = nullptr;
    std::vector<Rule> rules{};
    std::string set_role{};
    std::vector<std::string> listed{};  // Ids of resource sets.
};

struct Effect {
    std::string score;
    std::string role;
    std::string where;
    std::string until;
};

class Finder {
  public:
    Finder(const Resources& resources, sys_seconds now) : resources_(resources), now_(now) {}

    void add(const Location& location) {
        const std::string resource = resource_of(location);
        if (resource.empty()) {
            return;
        }
        const std::string role =
            location.set_role.empty() ? location.element->attribute("role") : location.set_role;
        add_effect(
            location, resource,
            {location.element->attribute("score"), role, location.element->attribute("node"), ""});
        for (const Rule& rule : location.rules) {
            const std::string own = rule.element->attribute("role");
            if (rule.holds_at(now_)) {
                add_effect(location, resource,
                           {rule.element->attribute("score"), own.empty() ? role : own,
                            rule.where(), rule.until()});
            }
        }
    }

    // A gateway that is promoted beside a single resource has no choice of its node.
    void add_colocation(const CibElement& element) {
        const std::string other = element.attribute("with-rsc");
        const bool is_anywhere =
            resources_.clones.contains(other) && !is_promoted(element.attribute("with-rsc-role"));
        if (resources_.is_gateway(element.attribute("rsc")) &&
            is_promoted(element.attribute("rsc-role")) && !is_anywhere &&
            weight_of(element.attribute("score")) >= kInfinity) {
            add_text(
                element, element.attribute("rsc"), false,
                fmt::format("only a node with {} is promoted, whatever its replica has", other));
        }
    }

    [[nodiscard]] std::vector<ConstraintFinding> worst_first() {
        std::stable_partition(found_.begin(), found_.end(),
                              [](const ConstraintFinding& each) { return !each.is_intended; });
        return std::move(found_);
    }

  private:
    static bool is_promoted(const std::string& role) {
        return is_word(role, "Promoted") || is_word(role, "master");
    }

    [[nodiscard]] std::string resource_of(const Location& location) const {
        std::vector<std::string> candidates = location.listed;
        candidates.push_back(location.element->attribute("rsc"));
        for (const std::string& id : candidates) {
            if (resources_.is_gateway(id)) {
                return id;
            }
        }
        const std::string pattern = location.element->attribute("rsc-pattern");
        return !pattern.empty() && resources_.matches_gateway(pattern) ? pattern : "";
    }

    void add_effect(const Location& location, const std::string& resource, const Effect& effect) {
        const long weight = weight_of(effect.score);
        const bool is_any_role = effect.role.empty() || is_word(effect.role, "Started");
        if (std::abs(weight) < kOverriding || (!is_any_role && !is_promoted(effect.role))) {
            return;
        }
        if (weight > 0) {
            add_text(*location.element, resource, false,
                     fmt::format("{} is promoted whenever it is there, also when it returns, "
                                 "whatever its replica has{}",
                                 effect.where, effect.until));
        } else {
            const bool was_moved = location.element->attribute("id").starts_with("cli-ban-");
            add_text(*location.element, resource, !was_moved,
                     fmt::format("{} {}{}", effect.where,
                                 is_any_role ? "runs no instance, so it neither serves nor votes"
                                             : "is not promoted, also when only its replica is "
                                               "complete",
                                 effect.until));
        }
    }

    void add_text(const CibElement& element, const std::string& resource, bool is_intended,
                  const std::string& consequence) {
        const std::string id = element.attribute("id");
        found_.push_back({is_intended, id,
                          fmt::format("constraint {} overrides the promotion scores of {}: {}; to "
                                      "remove it: pcs constraint delete {}, or crm configure "
                                      "delete {}",
                                      id, resource, consequence, id, id)});
    }

    const Resources& resources_;
    sys_seconds now_;
    std::vector<ConstraintFinding> found_;
};

}  // namespace

Result<std::vector<ConstraintFinding>> find_in_constraints(std::string_view configuration,
                                                           sys_seconds now) {
    VPNHA_TRY(const adapters::CibElements elements, adapters::elements_of(configuration));
    const Resources resources = resources_in(elements);
    Finder finder(resources, now);
    std::optional<Location> location;
    for (const CibElement& element : elements) {
        if (element.starts("rsc_location")) {
            location = Location{.element = &element};
        } else if (element.starts("rsc_colocation")) {
            finder.add_colocation(element);
        } else if (location && element.starts("resource_set")) {
            location->set_role = element.attribute("role");
        } else if (location && element.starts("resource_ref")) {
            location->listed.push_back(element.attribute("id"));
        } else if (location && element.starts("rule") && !element.attribute("score").empty()) {
            location->rules.push_back({.element = &element});
        } else if (location && !location->rules.empty() && element.starts("expression")) {
            location->rules.back().expressions.push_back(&element);
        } else if (location && !location->rules.empty() && element.starts("date_expression")) {
            location->rules.back().dates.push_back(&element);
        } else if (location && element.ends("rsc_location")) {
            finder.add(*location);
            location.reset();
        }
    }
    return finder.worst_first();
}

}  // namespace vpnha::runtime
