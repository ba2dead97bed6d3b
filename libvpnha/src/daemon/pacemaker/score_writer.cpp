// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/pacemaker/score_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/os/log.hpp"
#include "host/os/timers.hpp"

namespace vpnha::runtime {

namespace {

constexpr Duration kTryAgain = std::chrono::seconds(1);
// Late deletions came within 2 s of the last change of the members.
constexpr Duration kRefreshAfter = std::chrono::seconds(5);
// In place of a resource: everything that attrd holds is written again.
constexpr const char* kAll = "";

// The program's arguments; the resource is in its environment.
std::vector<std::string> arguments_of(const std::string& resource, int score) {
    if (resource == kAll) {
        return {"/usr/sbin/attrd_updater", "--refresh"};
    }
    return {"/usr/sbin/crm_attribute", "--promotion", "--update", std::to_string(score), "--quiet"};
}

}  // namespace

void ScoreWriter::write(const std::string& resource, int score) {
    wanted_[resource] = score;
    start_next();
}

void ScoreWriter::after_attempts(std::function<void()> callback) {
    if (!running_ && wanted_.empty()) {
        callback();
    } else {
        waiting_.push_back(std::move(callback));
    }
}

void ScoreWriter::on_members(const std::set<NodeId>& members) {
    const auto came = std::count_if(members.begin(), members.end(),
                                    [this](NodeId member) { return !members_.contains(member); });
    const bool was_here = std::exchange(was_here_, false);
    if (!was_here && static_cast<std::size_t>(came) >= std::max<std::size_t>(members_.size(), 1)) {
        loop_.set_timer(kRefreshTimer, loop_.now() + kRefreshAfter, [this] { write(kAll, 0); });
    }
    members_ = members;
}

void ScoreWriter::notify_waiting() {
    for (const auto& callback : std::exchange(waiting_, {})) {
        callback();
    }
}

void ScoreWriter::start_next() {
    if (running_) {
        return;
    }
    if (wanted_.empty()) {
        notify_waiting();
        return;
    }
    const std::string resource = wanted_.begin()->first;
    const int score = wanted_.begin()->second;
    wanted_.erase(wanted_.begin());
    running_ = true;
    // crm_attribute needs a path and the resource's name in its environment, nothing else.
    tools_.start(
        arguments_of(resource, score),
        [this, resource, score](const Result<void>& result) { on_ended(resource, score, result); },
        resource == kAll ? std::vector<std::string>{}
                         : std::vector<std::string>{"OCF_RESOURCE_INSTANCE=" + resource});
}

void ScoreWriter::on_ended(const std::string& resource, int score, const Result<void>& result) {
    running_ = false;
    if (result) {
        failure_.clear();
        adapters::write_log(
            LogLevel::info,
            resource == kAll
                ? "promotion scores are written again event=scores"
                : fmt::format("promotion score {} event=score resource={}", score, resource));
        start_next();
        return;
    }
    if (std::exchange(failure_, result.error().detail) != result.error().detail) {
        adapters::write_log(LogLevel::warning,
                            fmt::format("{} for resource={}; tried again each second",
                                        result.error().detail, resource));
    }
    wanted_.try_emplace(resource, score);
    loop_.set_timer(kScoreTimer, loop_.now() + kTryAgain, [this] { start_next(); });
    notify_waiting();
}

}  // namespace vpnha::runtime
