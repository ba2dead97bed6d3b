// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vpnha::cli::drill {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kRecordVersion = 1;
constexpr std::array kOutcomes{
    std::pair{Outcome::begun, std::string_view("begun")},
    std::pair{Outcome::failed, std::string_view("failed")},
    std::pair{Outcome::stayed, std::string_view("stayed")},
    std::pair{Outcome::moved, std::string_view("moved")},
};
// Names in a record, and the times that belong to them.
constexpr std::array kTimes{
    std::pair{"struck_unix_ms", &Record::struck_ms},
    std::pair{"noticed_unix_ms", &Record::noticed_ms},
    std::pair{"moved_unix_ms", &Record::moved_ms},
    std::pair{"undone_unix_ms", &Record::undone_ms},
    std::pair{"recovered_unix_ms", &Record::recovered_ms},
};

template <class Value>
ordered_json or_null(const std::optional<Value>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

std::optional<double> number_in(const json& value) {
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

Watch watch_of(const json& object) {
    Watch watch{.address = object.at("address").get<std::string>(),
                .machine = object.at("machine").get<std::string>(),
                .interval_ms = object.at("interval_ms").get<double>(),
                .probes = {}};
    for (const json& probe : object.at("probes")) {
        watch.probes.push_back({probe.at(0).get<double>(), std::nullopt});
        if (const auto round_trip = number_in(probe.at(1))) {
            watch.probes.back().answered_ms = watch.probes.back().sent_ms + *round_trip;
        }
    }
    std::ranges::sort(watch.probes, {}, &Probe::sent_ms);
    return watch;
}

Record record_of(const json& object) {
    Record record{.gateway = object.at("gateway").get<std::string>(),
                  .node = object.at("node").get<std::string>(),
                  .from = object.at("from").get<std::string>(),
                  .to = object.at("to").get<std::string>(),
                  .fault = object.at("fault").get<std::string>(),
                  .timers = {.stands_in = object.at("timers").at("stands_in").get<bool>(),
                             .lease_ms = object.at("timers").at("lease_ms").get<double>(),
                             .token_ms = number_in(object.at("timers").at("token_ms"))},
                  .begun_ms = object.at("begun_unix_ms").get<double>(),
                  .undo_trouble = object.at("undo_trouble").get<std::string>(),
                  .output = object.at("output").get<std::string>(),
                  .notes = object.at("notes").get<std::vector<std::string>>()};
    const auto kind = kind_named(object.at("drill").get<std::string>());
    record.kind = kind.value_or(Kind::switchover);
    const auto ended = object.at("outcome").get<std::string>();
    for (const auto& [outcome, name] : kOutcomes) {
        record.outcome = ended == name ? outcome : record.outcome;
    }
    for (const auto& [name, member] : kTimes) {
        record.*member = number_in(object.at(name));
    }
    if (const json& sessions = object.at("sessions"); sessions.is_object()) {
        record.sessions = {.before = sessions.at("before").get<std::uint64_t>(),
                           .kept = sessions.at("kept").get<std::uint64_t>(),
                           .lost = sessions.at("lost").get<std::uint64_t>(),
                           .anew = sessions.at("anew").get<std::uint64_t>()};
    }
    for (const json& each : object.at("moments")) {
        record.moments.push_back({each.at("unix_ms").get<double>(),
                                  each.at("node").get<std::string>(),
                                  each.at("text").get<std::string>()});
    }
    for (const json& each : object.at("watches")) {
        record.watches.push_back(watch_of(each));
    }
    return record;
}

// Reads an object by `reader`, which may throw if a member is missing.
template <class Value>
Result<Value> read_object(std::string_view text, const char* what, Value (*reader)(const json&)) {
    try {
        const json object = json::parse(text);
        if (object.at("version") != kRecordVersion || object.at("what") != what) {
            return fail(Errc::malformed, fmt::format("not {} of version {}", what, kRecordVersion));
        }
        return reader(object);
    } catch (const json::exception& error) {
        return fail(Errc::malformed, fmt::format("not {}: {}", what, error.what()));
    }
}

constexpr const char* kRecordWord = "a drill";
constexpr const char* kWatchWord = "a watch";

ordered_json times_of(const Seen& seen) {
    ordered_json object = {
        {"sent", seen.sent},       {"lost", seen.lost},     {"lost_before", seen.lost_before},
        {"calm_ms", seen.calm_ms}, {"silence_ms", nullptr}, {"answered_again", nullptr}};
    if (seen.longest) {
        object["silence_ms"] = seen.longest->length_ms();
        object["answered_again"] = seen.longest->has_ended;
    }
    return object;
}

std::string watch_line(const Watch& watch, const Seen& seen) {
    const std::string where = fmt::format("{} from {}", watch.address, watch.machine);
    if (!seen.longest) {
        return fmt::format("{}: nothing was asked", where);
    }
    return fmt::format(
        "{}: silent for {}{}, {} of {} packets lost (before the fault {}, longest "
        "wait {})",
        where, duration_text(seen.longest->length_ms()),
        seen.longest->has_ended ? "" : ", and not answered again", seen.lost - seen.lost_before,
        seen.sent, seen.lost_before, duration_text(seen.calm_ms));
}

}  // namespace

std::string_view to_string(Outcome outcome) {
    return std::ranges::find(kOutcomes, outcome, [](const auto& each) { return each.first; })
        ->second;
}

Ruled Record::ruled() const {
    const auto since = [this](const std::optional<double>& time) {
        return time && struck_ms ? std::optional(*time - *struck_ms) : std::nullopt;
    };
    return ruled_by(kind, timers, {.noticed_ms = since(noticed_ms), .served_ms = since(moved_ms)});
}

bool Record::is_good() const {
    const bool is_kept = !sessions || sessions->lost == 0;
    return outcome == Outcome::moved && is_kept && undo_trouble.empty() && recovered_ms;
}

ordered_json to_json(const Watch& watch) {
    ordered_json probes = ordered_json::array();
    for (const Probe& probe : watch.probes) {
        probes.push_back({probe.sent_ms, probe.answered_ms
                                             ? ordered_json(*probe.answered_ms - probe.sent_ms)
                                             : ordered_json(nullptr)});
    }
    return {{"version", kRecordVersion},        {"what", kWatchWord},
            {"address", watch.address},         {"machine", watch.machine},
            {"interval_ms", watch.interval_ms}, {"seen", times_of(reckon(watch.probes, {}))},
            {"probes", std::move(probes)}};
}

ordered_json to_json(const Record& record) {
    const Ruled ruled = record.ruled();
    ordered_json object = {{"version", kRecordVersion},
                           {"what", kRecordWord},
                           {"drill", kind_of(record.kind).name},
                           {"gateway", record.gateway},
                           {"outcome", to_string(record.outcome)},
                           {"good", record.is_good()},
                           {"node", record.node},
                           {"from", record.from},
                           {"to", record.to},
                           {"fault", record.fault},
                           {"output", record.output},
                           {"begun_unix_ms", record.begun_ms}};
    for (const auto& [name, member] : kTimes) {
        object[name] = or_null(record.*member);
    }
    object["undo_trouble"] = record.undo_trouble;
    object["timers"] = {{"stands_in", record.timers.stands_in},
                        {"lease_ms", record.timers.lease_ms},
                        {"token_ms", or_null(record.timers.token_ms)}};
    object["ruled"] = {{"timer", ruled.timer}, {"set", ruled.set}};
    object["sessions"] = nullptr;
    if (record.sessions) {
        object["sessions"] = {{"before", record.sessions->before},
                              {"kept", record.sessions->kept},
                              {"lost", record.sessions->lost},
                              {"anew", record.sessions->anew}};
    }
    object["notes"] = record.notes;
    object["moments"] = ordered_json::array();
    for (const Moment& moment : record.moments) {
        object["moments"].push_back(
            {{"unix_ms", moment.at_ms}, {"node", moment.node}, {"text", moment.text}});
    }
    object["watches"] = ordered_json::array();
    for (const Watch& watch : record.watches) {
        ordered_json entry = to_json(watch);
        entry["seen"] = times_of(reckon(watch.probes, record.struck_ms));
        object["watches"].push_back(std::move(entry));
    }
    return object;
}

Result<Record> parse_record(std::string_view text) {
    return read_object<Record>(text, kRecordWord, record_of);
}

Result<Watch> parse_watch(std::string_view text) {
    return read_object<Watch>(text, kWatchWord, watch_of);
}

std::string duration_text(double ms) {
    return ms < 1000 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.2f} s", ms / 1000);
}

std::vector<std::string> summary(const Record& record) {
    std::vector<std::string> lines;
    const auto add_time = [&](const char* what, const std::optional<double>& time) {
        if (time && record.struck_ms) {
            lines.push_back(fmt::format("{} {} after the fault", what,
                                        duration_text(*time - *record.struck_ms)));
        }
    };
    switch (record.outcome) {
        case Outcome::begun:
            lines.push_back(fmt::format(
                "the drill on {} did not come to its end: this is what was known before",
                record.node));
            break;
        case Outcome::failed:
            lines.push_back(fmt::format("the fault could not be made: {}", record.output));
            break;
        case Outcome::stayed:
            lines.push_back(fmt::format("nobody took over from {}", record.from));
            break;
        case Outcome::moved:
            lines.push_back(fmt::format("{} serves in place of {}", record.to, record.from));
            break;
    }
    add_time("noticed", record.noticed_ms);
    add_time("another node known to serve", record.moved_ms);
    for (const Watch& watch : record.watches) {
        lines.push_back(watch_line(watch, reckon(watch.probes, record.struck_ms)));
    }
    if (record.watches.empty()) {
        lines.emplace_back(
            "nobody watched: the silence of clients is not known (vpnha drill watch)");
    }
    if (record.outcome == Outcome::moved && !record.output.empty()) {
        lines.push_back("the command: " + record.output);
    }
    if (record.sessions) {
        const Sessions& of = *record.sessions;
        lines.push_back(fmt::format("of {} sessions {} continued, {} ended; {} negotiated anew",
                                    of.before, of.kept, of.lost, of.anew));
    }
    if (record.outcome == Outcome::moved) {
        const Ruled ruled = record.ruled();
        lines.push_back("what ruled: " + ruled.timer);
        lines.push_back("what to set: " + ruled.set);
    }
    if (!record.undo_trouble.empty()) {
        lines.push_back("NOT UNDONE, type this: " + record.undo_trouble);
    }
    add_time("healthy again", record.recovered_ms);
    if (!record.recovered_ms && record.outcome != Outcome::begun) {
        lines.emplace_back("not healthy again yet: `vpnha status` and crm_mon have the reasons");
    }
    return lines;
}

}  // namespace vpnha::cli::drill
