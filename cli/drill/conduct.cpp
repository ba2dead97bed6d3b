// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/drill/conduct.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <ostream>

#include "cli/drill/preconditions.hpp"
#include "cli/events.hpp"
#include "cli/table.hpp"

namespace vpnha::cli::drill {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kLookEach{200};
constexpr milliseconds kRecoveryLookEach{2000};
// Before the fault, to compare with.
constexpr milliseconds kCalm{5000};
// After a move, for its consequences.
constexpr milliseconds kSettle{5000};
// How much longer than the drill itself the undo waits, if the drill hangs.
constexpr milliseconds kGuardMargin{30'000};
// After the fault these events show that a node has detected it.
constexpr std::array kNotices{"given-away",   "lease-ended",     "link",         "members",
                              "move-asked",   "promotion-asked", "reported",     "restarted",
                              "service-died", "stand-in",        "stand-in-asks"};
// The number that a page can show.
constexpr std::size_t kMomentsMax = 500;

// "2026-11-24T20:00:00.123456Z" in milliseconds since 1970.
std::optional<double> unix_ms_of(const std::string& utc) {
    std::tm parts{};
    double seconds = 0;
    int end = 0;
    if (std::sscanf(utc.c_str(), "%4d-%2d-%2dT%2d:%2d:%lfZ%n", &parts.tm_year, &parts.tm_mon,
                    &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &seconds, &end) != 6) {
        return std::nullopt;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    return static_cast<double>(::timegm(&parts)) * 1000 + seconds * 1000;
}

// The text of an event without what only a log needs.
std::string plain(const std::string& text) {
    const std::size_t end = text.find(" event=");
    return printable(text.substr(0, end));
}

class Conductor {
  public:
    Conductor(const Order& order, const Ports& ports) : order_(order), ports_(ports) {}

    ExitCode run() {
        const Result<Facts> facts = ports_.look();
        if (!facts) {
            return report(facts.error(), ports_.err);
        }
        std::vector<std::string> reasons = unhealthy(*facts, order_.gateway);
        std::ranges::copy(unfit(*facts, order_), std::back_inserter(reasons));
        if (!reasons.empty()) {
            return refuse(reasons);
        }
        const Plan plan = plan_of(order_, *facts);
        describe(plan, *facts);
        if (!order_.yes && !ports_.agrees()) {
            ports_.out << "nothing was done\n";
            return ExitCode::failed;
        }
        return begin(*facts, plan);
    }

  private:
    ExitCode refuse(const std::vector<std::string>& reasons) {
        for (const std::string& reason : reasons) {
            ports_.err << "vpnha: refused: " << reason << "\n";
        }
        return ExitCode::failed;
    }

    void describe(const Plan& plan, const Facts& facts) {
        record_ = {.kind = order_.kind,
                   .gateway = printable(order_.gateway),
                   .node = facts.node(),
                   .from = facts.serving(order_.gateway),
                   .fault = plan.fault,
                   .timers = facts.timers(order_.gateway),
                   .begun_ms = ports_.unix_ms(),
                   .notes = notes(facts)};
        ports_.out << "drill: " << plan.fault << "\n";
        for (const Command& command : plan.undo) {
            ports_.out << "undone by: " << text_of(command) << "\n";
        }
        for (const std::string& text : plan.left) {
            ports_.out << "note: " << text << "\n";
        }
        for (const std::string& text : record_.notes) {
            ports_.out << "amiss before: " << text << "\n";
        }
        ports_.out << std::flush;
    }

    ExitCode begin(const Facts& facts, const Plan& plan) {
        ids_before_ = session_ids();
        standbys_before_ = facts.standbys(order_.gateway);
        // Before the thread that pings starts.
        Result<Fault> fault = ports_.arm(plan, order_.at_most + kGuardMargin);
        if (!fault) {
            return report(fault.error(), ports_.err);
        }
        std::function<Watch()> end_watch;
        if (ports_.watch) {
            auto watch = ports_.watch();
            if (!watch) {
                return report(watch.error(), ports_.err);
            }
            end_watch = std::move(*watch);
        }
        skip_events();
        ports_.pause(kCalm);
        // If this node dies with the drill, only this record is left.
        record_.struck_ms = ports_.unix_ms();
        if (const Result<void> written = ports_.write(record_); !written) {
            return report(written.error(), ports_.err);
        }
        fault->strike();
        follow(*fault, facts);
        const Result<void> undone = fault->undo();
        record_.undone_ms = ports_.unix_ms();
        record_.undo_trouble = undone ? "" : undone.error().detail;
        recover();
        if (end_watch) {
            record_.watches.push_back(end_watch());
        }
        return finish();
    }

    // Until another node has served for a while, or the time is over.
    void follow(const Fault& fault, const Facts& facts) {
        const auto until = static_cast<double>(milliseconds(order_.at_most).count());
        const double begun = ports_.unix_ms();
        while (true) {
            ports_.pause(kLookEach);
            const Striker::News news = fault.news();
            record_.struck_ms = news.struck_ms;
            if (!news.trouble.empty()) {
                record_.outcome = Outcome::failed;
                record_.output = news.trouble;
                return;
            }
            record_.output = news.output;
            look_at_status(facts);
            read_events();
            const double now = ports_.unix_ms();
            const bool has_settled =
                record_.moved_ms &&
                now - *record_.moved_ms >= static_cast<double>(kSettle.count()) && news.is_done;
            if (has_settled || now - begun >= until) {
                record_.outcome = record_.moved_ms ? Outcome::moved : Outcome::stayed;
                return;
            }
        }
    }

    void look_at_status(const Facts& facts) {
        // The daemon may be dead: that is the drill.
        const Result<json> status = ports_.ask("status", json::object());
        if (!status || record_.moved_ms) {
            return;
        }
        for (const json& gateway : status->at("gateways")) {
            const json& promoted = gateway.at("promoted_node");
            if (gateway.at("name") != order_.gateway) {
                continue;
            }
            const bool stands_in = gateway.at("standing_in").get<bool>();
            std::string serves = stands_in              ? facts.node()
                                 : promoted.is_number() ? name_of(*status, promoted)
                                                        : std::string();
            if (!serves.empty() && serves != record_.from) {
                record_.moved_ms = ports_.unix_ms();
                record_.to = std::move(serves);
            }
        }
    }

    // Only events logged from now on count.
    void skip_events() {
        read_events();
        record_.moments.clear();
    }

    void read_events() {
        Result<bool> more = true;
        while (more && *more) {
            more = cli::read_events(read_, ports_.ask, [this](const json& event) { keep(event); });
        }
    }

    void keep(const json& event) {
        const json& fields = event.at("fields");
        const auto at = unix_ms_of(event.at("time").get<std::string>());
        if (!at || fields.value("gateway", order_.gateway) != order_.gateway) {
            return;
        }
        const std::string word = event.at("event").get<std::string>();
        if (record_.moments.size() < kMomentsMax) {
            record_.moments.push_back(
                {*at, record_.node, plain(event.at("text").get<std::string>())});
        }
        if (!record_.struck_ms || *at < *record_.struck_ms) {
            return;
        }
        if (!record_.noticed_ms && std::ranges::find(kNotices, word) != kNotices.end()) {
            record_.noticed_ms = at;
        }
        // Earlier than the next request for the status.
        if (word == "gate-open" && record_.from != record_.node) {
            record_.moved_ms = std::min(*at, record_.moved_ms.value_or(*at));
            record_.to = record_.node;
        }
    }

    // Until the cluster could survive the next failure.
    void recover() {
        const double begun = ports_.unix_ms();
        const auto until = static_cast<double>(milliseconds(order_.recovery).count());
        while (ports_.unix_ms() - begun < until) {
            if (const Result<Facts> facts = ports_.look_at_health();
                facts && facts->standbys(order_.gateway) >= standbys_before_ &&
                unhealthy(*facts, order_.gateway).empty()) {
                record_.recovered_ms = ports_.unix_ms();
                break;
            }
            ports_.pause(kRecoveryLookEach);
        }
        read_events();
        count_sessions();
    }

    // By id; none if vpnhad does not answer.
    std::optional<std::set<std::string>> session_ids() const {
        const Result<json> view = ports_.ask("sessions", {{"gateway", order_.gateway}});
        if (!view) {
            return std::nullopt;
        }
        std::set<std::string> ids;
        for (const json& session : view->at("sessions")) {
            ids.insert(session.at("id").get<std::string>());
        }
        return ids;
    }

    void count_sessions() {
        const auto after = session_ids();
        if (!after || !ids_before_) {
            return;
        }
        std::vector<std::string> kept;
        std::ranges::set_intersection(*ids_before_, *after, std::back_inserter(kept));
        record_.sessions = {.before = ids_before_->size(),
                            .kept = kept.size(),
                            .lost = ids_before_->size() - kept.size(),
                            .anew = after->size() - kept.size()};
    }

    ExitCode finish() {
        for (const std::string& line : summary(record_)) {
            ports_.out << line << "\n";
        }
        if (const Result<void> written = ports_.write(record_); !written) {
            return report(written.error(), ports_.err);
        }
        if (!record_.undo_trouble.empty() || record_.outcome == Outcome::failed) {
            return ExitCode::failed;
        }
        return record_.is_good() ? ExitCode::ok : ExitCode::degraded;
    }

    const Order& order_;
    const Ports& ports_;
    Record record_{};
    std::optional<std::set<std::string>> ids_before_{};
    std::size_t standbys_before_ = 0;
    EventsRead read_{};
};

}  // namespace

ExitCode conduct(const Order& order, const Ports& ports) {
    return Conductor(order, ports).run();
}

}  // namespace vpnha::cli::drill
