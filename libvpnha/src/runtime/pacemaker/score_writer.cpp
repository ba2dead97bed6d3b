// SPDX-License-Identifier: GPL-2.0-or-later
#include "runtime/pacemaker/score_writer.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "adapters/os/log.hpp"
#include "runtime/timers.hpp"

namespace vpnha::runtime {

namespace {

constexpr Duration kTryAgain = std::chrono::seconds(1);
// Late deletions came within 2 s of the last change of the members.
constexpr Duration kRefreshAfter = std::chrono::seconds(5);
// In the place of a resource: what attrd holds is written again.
constexpr const char* kAll = "";

// crm_attribute in an environment of its own: it needs a path and the resource's name, nothing
// else.
int spawn_crm_attribute(const std::string& resource, int score, int& pid) {
    std::string value = std::to_string(score);
    std::string name = "OCF_RESOURCE_INSTANCE=" + resource;
    std::array<char, 64> path{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    std::array<char, 16> program{"crm_attribute"};
    std::array<char, 16> promotion{"--promotion"};
    std::array<char, 16> update{"--update"};
    std::array<char, 16> quiet{"--quiet"};
    std::array<char*, 6> arguments{program.data(), promotion.data(), update.data(),
                                   value.data(),   quiet.data(),     nullptr};
    std::array<char*, 3> environment{path.data(), name.data(), nullptr};
    return posix_spawn(&pid, "/usr/sbin/crm_attribute", nullptr, nullptr, arguments.data(),
                       environment.data());
}

int spawn_refresh(int& pid) {
    std::array<char, 64> path{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    std::array<char, 16> program{"attrd_updater"};
    std::array<char, 16> refresh{"--refresh"};
    std::array<char*, 3> arguments{program.data(), refresh.data(), nullptr};
    std::array<char*, 2> environment{path.data(), nullptr};
    return posix_spawn(&pid, "/usr/sbin/attrd_updater", nullptr, nullptr, arguments.data(),
                       environment.data());
}

}  // namespace

ScoreWriter::~ScoreWriter() {
    if (running_) {
        loop_.unwatch(running_->watch.get());
    }
}

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

void ScoreWriter::tell_waiting() {
    for (const auto& callback : std::exchange(waiting_, {})) {
        callback();
    }
}

void ScoreWriter::start_next() {
    if (running_) {
        return;
    }
    if (wanted_.empty()) {
        tell_waiting();
        return;
    }
    const auto [resource, score] = *wanted_.begin();
    wanted_.erase(wanted_.begin());
    int pid = -1;
    const int error =
        resource == kAll ? spawn_refresh(pid) : spawn_crm_attribute(resource, score, pid);
    const int watch = error == 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1;
    if (watch < 0) {
        adapters::write_log(
            node::Level::error,
            system_error("starting Pacemaker's tools", error != 0 ? error : errno).detail);
        wanted_.try_emplace(resource, score);
        loop_.set_timer(kScoreTimer, loop_.now() + kTryAgain, [this] { start_next(); });
        tell_waiting();
        return;
    }
    running_ = Running{resource, score, pid, adapters::UniqueFd(watch)};
    if (!loop_.watch(watch, [this] { on_ended(); })) {
        on_ended();
    }
}

void ScoreWriter::on_ended() {
    loop_.unwatch(running_->watch.get());
    int status = 0;
    const bool waited = waitpid(running_->pid, &status, 0) == running_->pid;
    const Running ended = std::move(*running_);
    running_.reset();
    if (waited && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        adapters::write_log(node::Level::info,
                            ended.resource == kAll
                                ? "promotion scores are written again event=scores"
                                : fmt::format("promotion score {} event=score resource={}",
                                              ended.score, ended.resource));
        start_next();
        return;
    }
    adapters::write_log(node::Level::warning,
                        fmt::format("{} ended with exit code {} for resource={}; again in 1 s",
                                    ended.resource == kAll ? "attrd_updater" : "crm_attribute",
                                    WIFEXITED(status) ? WEXITSTATUS(status) : -1, ended.resource));
    wanted_.try_emplace(ended.resource, ended.score);
    loop_.set_timer(kScoreTimer, loop_.now() + kTryAgain, [this] { start_next(); });
    tell_waiting();
}

}  // namespace vpnha::runtime
