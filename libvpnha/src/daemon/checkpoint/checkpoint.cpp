// SPDX-License-Identifier: GPL-2.0-or-later
// vpnha/checkpoint.hpp: a checkpoint::Member on Corosync, and on the caller's own loop.
#include "vpnha/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <optional>
#include <utility>
#include <variant>

#include "base/limits.hpp"
#include "checkpoint/member.hpp"
#include "daemon/encryption.hpp"
#include "host/corosync/cluster_map.hpp"
#include "host/corosync/corosync_group.hpp"
#include "host/os/boot_clock.hpp"
#include "host/os/boot_timer.hpp"
#include "host/os/poll_set.hpp"
#include "host/os/timers.hpp"

namespace vpnha {

namespace {

using adapters::boot_time;

constexpr std::size_t kGroupNameMax = 64;
// Never the group of vpnhads, whatever the caller's name is.
constexpr const char* kGroupPrefix = "vpnha-checkpoint:";

Result<void> check_name(const std::string& group) {
    const bool is_good = !group.empty() && group.size() <= kGroupNameMax &&
                         std::all_of(group.begin(), group.end(), [](char each) {
                             return std::isalnum(static_cast<unsigned char>(each)) != 0 ||
                                    each == '.' || each == '_' || each == '-';
                         });
    if (is_good) {
        return {};
    }
    return fail(Errc::invalid_argument,
                fmt::format("the name of a group has 1 to {} letters, digits, '.', '_' or '-'",
                            kGroupNameMax));
}

std::string_view text_of(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

struct Checkpoint::State {
    // Pending calls to the program, in order.
    using Call = std::variant<checkpoint::Install, checkpoint::Remove, checkpoint::Confirmed>;

    Result<void> join(const CheckpointOptions& options) {
        VPNHA_CHECK(check_name(options.group));
        VPNHA_TRY(polls, adapters::PollSet::create());
        VPNHA_CHECK(polls->watch(timer.fd(), [this] { on_time(); }));
        VPNHA_TRY(map,
                  adapters::ClusterMap::open(*polls, {.on_change = [this] { look_at_encryption(); },
                                                      .on_nodes = [] {},
                                                      .on_lost = [this] { lost = true; }}));
        const std::string reason = adapters::unencrypted_because(map->totem());
        encrypted = reason.empty();
        allow_unencrypted = options.allow_unencrypted;
        if (!reason.empty() && !options.allow_unencrypted) {
            return fail(Errc::invalid_config,
                        runtime::how_to_encrypt(reason, "records") +
                            "allow_unencrypted in the program that joins the group");
        }
        VPNHA_TRY(group, adapters::CorosyncGroup::join(
                             *polls, kGroupPrefix + options.group,
                             {.on_members =
                                  [this](const std::set<NodeId>& members, bool quorate) {
                                      notify([&](auto now, auto& effects) {
                                          member->on_members(members, quorate, now, effects);
                                      });
                                  },
                              .on_message =
                                  [this](NodeId sender, ByteView bytes) {
                                      notify([&](auto now, auto& effects) {
                                          member->on_message(sender, bytes, now, effects);
                                      });
                                  },
                              .on_process_died = {},
                              .on_lost = [this] { lost = true; }}));
        member.emplace(group->self());
        return {};
    }

    // Each key is a query to Corosync, which has no time for thousands while a ring forms.
    void look_at_encryption() {
        encrypted = adapters::unencrypted_because(map->totem()).empty();
        if (member && !allow_unencrypted) {
            notify([this](auto now, auto& effects) {
                member->withhold_records(!encrypted, now, effects);
            });
        }
    }

    // Passes an event to the member; due calls result from it.
    template <class Event>
    void notify(const Event& event) {
        checkpoint::Effects effects;
        event(boot_time(), effects);
        for (checkpoint::Effect& effect : effects) {
            std::visit([this](auto& each) { take(std::move(each)); }, effect);
        }
        arm();
    }

    void take(checkpoint::SendToGroup&& sent) {
        waiting.push_back(std::move(sent.message));
        if (waiting.size() == 1) {
            send_waiting();
        }
    }
    template <class What>
    void take(What&& what) {
        calls.emplace_back(std::forward<What>(what));
    }

    void send_waiting() {
        while (!waiting.empty()) {
            const Result<bool> sent = group->send(waiting.front());
            if (!sent) {
                lost = true;
                waiting.clear();
                return;
            }
            if (!*sent) {
                break;
            }
            waiting.pop_front();
        }
        if (!waiting.empty() && !retry_at) {
            // The member sends nothing more until the queue is empty, so the queue stays short.
            retry_at = boot_time() + runtime::kGroupRetry;
            notify([this](auto now, auto& effects) { member->set_writable(false, now, effects); });
        }
    }

    void on_time() {
        if (retry_at && *retry_at <= boot_time()) {
            retry_at.reset();
            send_waiting();
            if (waiting.empty()) {
                notify(
                    [this](auto now, auto& effects) { member->set_writable(true, now, effects); });
            }
        }
        if (waiting.empty()) {
            notify([this](auto now, auto& effects) { member->on_time(now, effects); });
        }
        arm();
    }

    void arm() {
        if (!calls.empty() || lost) {
            timer.set(TimePoint{});
            return;
        }
        const std::optional<TimePoint> due = member->next_deadline();
        timer.set(earliest(
            retry_at,
            due ? std::optional(std::max(*due, boot_time() + runtime::kTurnPause)) : std::nullopt));
    }

    void call(checkpoint::Install& install) {
        const bool taken =
            !listener.install ||
            listener.install(text_of(install.key.id.view()),
                             text_of({install.payload.data(), install.payload.size()}));
        notify(
            [&](auto now, auto& effects) { member->on_installed(install, taken, now, effects); });
    }
    void call(checkpoint::Remove& remove) {
        if (listener.remove) {
            listener.remove(text_of(remove.key.id.view()));
        }
    }
    void call(checkpoint::Confirmed& confirmed) {
        if (listener.confirmed) {
            listener.confirmed(text_of(confirmed.key.id.view()));
        }
    }

    [[nodiscard]] CheckpointState state() const {
        CheckpointState state = member->state();
        state.encrypted = encrypted;
        return state;
    }

    Result<void> dispatch() {
        // Corosync waits meanwhile: the others are not faster than the slowest of them.
        if (calls.empty()) {
            polls->dispatch();
        }
        const TimePoint until = boot_time() + limits::kLoopSlice;
        while (!calls.empty() && boot_time() < until) {
            Call next = std::move(calls.front());
            calls.pop_front();
            std::visit([this](auto& each) { call(each); }, next);
        }
        if (lost) {
            arm();  // The descriptor becomes readable again.
            return fail(Errc::unreachable, "corosync has ended, or does not answer any more");
        }
        if (!group->counts()) {
            return fail(Errc::already_exists, "another process of this node is in the group");
        }
        if (CheckpointState now = state(); calls.empty() && now != notified) {
            notified = std::move(now);
            if (listener.changed) {
                listener.changed(notified);
            }
        }
        arm();
        return {};
    }

    CheckpointListener listener;
    std::unique_ptr<adapters::PollSet> polls;
    adapters::BootTimer timer;
    std::unique_ptr<adapters::ClusterMap> map;
    std::unique_ptr<adapters::CorosyncGroup> group;
    std::optional<checkpoint::Member> member;
    std::deque<Bytes> waiting;  // While the group accepts no messages.
    std::optional<TimePoint> retry_at;
    std::deque<Call> calls;
    CheckpointState notified;
    bool encrypted = false;
    bool allow_unencrypted = false;
    bool lost = false;
};

Checkpoint::Checkpoint(std::unique_ptr<State> state) : state_(std::move(state)) {}
Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&& other) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&& other) noexcept = default;

Result<Checkpoint> Checkpoint::join(const CheckpointOptions& options, CheckpointListener listener) {
    auto state = std::make_unique<State>();
    state->listener = std::move(listener);
    VPNHA_CHECK(state->join(options));
    return Checkpoint(std::move(state));
}

int Checkpoint::fd() const {
    return state_->polls->fd();
}

Result<void> Checkpoint::dispatch() {
    return state_->dispatch();
}

Result<void> Checkpoint::promote() {
    if (!state_->calls.empty()) {
        return fail(Errc::busy, "records have come that dispatch() has yet to hand over");
    }
    Result<void> done;
    state_->notify([&](auto now, auto& effects) { done = state_->member->promote(now, effects); });
    return done;
}

void Checkpoint::stand_by() {
    state_->notify([&](auto now, auto& effects) { state_->member->stand_by(now, effects); });
}

Result<void> Checkpoint::publish(std::string_view id, std::string_view payload) {
    Result<void> done;
    state_->notify([&](auto now, auto& effects) {
        done = state_->member->publish(id, payload, now, effects);
    });
    return done;
}

Result<void> Checkpoint::withdraw(std::string_view id) {
    Result<void> done;
    state_->notify(
        [&](auto now, auto& effects) { done = state_->member->withdraw(id, now, effects); });
    return done;
}

bool Checkpoint::is_confirmed(std::string_view id) const {
    return state_->member->is_confirmed(id);
}

CheckpointState Checkpoint::state() const {
    return state_->state();
}

}  // namespace vpnha
