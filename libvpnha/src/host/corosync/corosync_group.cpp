// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/corosync/corosync_group.hpp"

#include <corosync/cpg.h>
#include <corosync/quorum.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "base/limits.hpp"
#include "host/corosync/connection.hpp"
#include "host/os/boot_clock.hpp"

namespace vpnha::adapters {

struct CorosyncGroup::State {
    FdWatch* loop = nullptr;
    Listener listener;
    cpg_handle_t handle = 0;
    int fd = -1;
    NodeId self{};
    // The process that counts for each node: the first one seen.
    std::map<NodeId, std::uint32_t> members;
    quorum_handle_t quorum = 0;
    int quorum_fd = -1;
    bool quorate = false;  // As last reported.
    bool is_changing = false;

    static State& of(cpg_handle_t handle) {
        void* context = nullptr;
        cpg_context_get(handle, &context);
        return *static_cast<State*>(context);
    }

    static std::uint32_t own_process() { return static_cast<std::uint32_t>(getpid()); }
    [[nodiscard]] bool is_this(const cpg_address& address) const {
        return NodeId{address.nodeid} == self && address.pid == own_process();
    }

    static void on_deliver(cpg_handle_t handle, const cpg_name*, std::uint32_t node,
                           std::uint32_t process, void* bytes, std::size_t size) {
        State& state = of(handle);
        const auto member = state.members.find(NodeId{node});
        if (member != state.members.end() && member->second == process) {
            state.listener.on_message(NodeId{node}, {static_cast<std::uint8_t*>(bytes), size});
        }
    }

    static void on_change(cpg_handle_t handle, const cpg_name*, const cpg_address* present,
                          std::size_t present_count, const cpg_address* left,
                          std::size_t left_count, const cpg_address*, std::size_t) {
        State& state = of(handle);
        // A vpnhad that came back within one change left first: the node restarts from nothing.
        bool restarted = false;
        for (std::size_t i = 0; i < left_count; ++i) {
            const auto member = state.members.find(NodeId{left[i].nodeid});
            if (member != state.members.end() && member->second == left[i].pid) {
                if (left[i].reason == CPG_REASON_PROCDOWN && state.listener.on_process_died) {
                    state.listener.on_process_died(member->first);
                }
                state.members.erase(member);
                restarted = true;
            }
        }
        if (restarted) {
            state.notify();
        }
        for (std::size_t i = 0; i < present_count; ++i) {
            if (!state.is_this(present[i])) {
                state.members.try_emplace(NodeId{present[i].nodeid}, present[i].pid);
            }
        }
        // Another process of this node was there before.
        if (std::any_of(present, present + present_count,
                        [&state](const cpg_address& each) { return state.is_this(each); })) {
            state.members.try_emplace(state.self, own_process());
        }
        state.notify();
    }

    static void on_quorum(quorum_handle_t quorum, std::uint32_t quorate, std::uint64_t,
                          std::uint32_t, std::uint32_t*) {
        const void* context = nullptr;
        quorum_context_get(quorum, &context);
        auto& state = *static_cast<State*>(const_cast<void*>(context));
        if (state.quorate == (quorate != 0)) {
            return;
        }
        state.quorate = quorate != 0;
        if (!state.members.empty() && !state.is_changing) {
            state.notify();
        }
    }

    void notify() {
        // Corosync reports quorum and members in no order; pending reports are handled first. A
        // query would be a round trip to a corosync that is in the middle of a change.
        is_changing = true;
        quorum_dispatch(quorum, CS_DISPATCH_ALL);
        is_changing = false;
        std::set<NodeId> nodes;
        for (const auto& [node, process] : members) {
            nodes.insert(node);
        }
        listener.on_members(nodes, quorate);
    }

    // In slices: a member that handles messages no faster than they come always has another one
    // pending. The rest of its loop would never run.
    void dispatch() {
        const TimePoint until = boot_time() + limits::kLoopSlice;
        cs_error_t error = CS_OK;
        do {
            error = cpg_dispatch(handle, CS_DISPATCH_ONE_NONBLOCKING);
        } while (error == CS_OK && boot_time() < until);
        check(error);
    }
    void dispatch_quorum() { check(quorum_dispatch(quorum, CS_DISPATCH_ALL)); }

    void check(cs_error_t error) {
        if (error == CS_OK || error == CS_ERR_TRY_AGAIN) {
            return;
        }
        for (int* each : {&fd, &quorum_fd}) {
            if (*each >= 0) {
                loop->unwatch(*each);
                *each = -1;
            }
        }
        listener.on_lost();
    }

    Result<void> open_quorum() {
        quorum_callbacks_t callbacks{};
        callbacks.quorum_notify_fn = &State::on_quorum;
        std::uint32_t type = QUORUM_FREE;
        const auto failed = [](std::string_view what, cs_error_t error) {
            return fail(Errc::unreachable,
                        fmt::format("corosync's quorum service: {}: {}", what, cs_strerror(error)));
        };
        if (const cs_error_t error = quorum_initialize(&quorum, &callbacks, &type);
            error != CS_OK) {
            return failed("connecting", error);
        }
        if (type == QUORUM_FREE) {
            return fail(Errc::invalid_config,
                        "corosync has no quorum provider, so that both sides of a split cluster "
                        "would serve; write 'provider: corosync_votequorum' into the section "
                        "quorum of corosync.conf");
        }
        quorum_context_set(quorum, this);
        if (const cs_error_t error = quorum_trackstart(quorum, CS_TRACK_CURRENT | CS_TRACK_CHANGES);
            error != CS_OK) {
            return failed("tracking", error);
        }
        quorum_fd_get(quorum, &quorum_fd);
        return loop->watch(quorum_fd, [this] { dispatch_quorum(); });
    }
};

CorosyncGroup::CorosyncGroup(std::unique_ptr<State> state) : state_(std::move(state)) {}

CorosyncGroup::~CorosyncGroup() {
    for (const int fd : {state_->fd, state_->quorum_fd}) {
        if (fd >= 0) {
            state_->loop->unwatch(fd);
        }
    }
    if (state_->quorum != 0) {
        quorum_finalize(state_->quorum);
    }
    cpg_finalize(state_->handle);
}

Result<std::unique_ptr<CorosyncGroup>> CorosyncGroup::join(FdWatch& loop, const std::string& group,
                                                           Listener listener) {
    auto state = std::make_unique<State>();
    state->loop = &loop;
    state->listener = std::move(listener);
    cpg_model_v1_data_t model{};
    model.cpg_deliver_fn = &State::on_deliver;
    model.cpg_confchg_fn = &State::on_change;
    cs_error_t error = cpg_model_initialize(
        &state->handle, CPG_MODEL_V1, reinterpret_cast<cpg_model_data_t*>(&model), state.get());
    if (error != CS_OK) {
        return not_connected(error);
    }
    std::unique_ptr<CorosyncGroup> joined(new CorosyncGroup(std::move(state)));
    State& connected = *joined->state_;
    VPNHA_CHECK(connected.open_quorum());
    unsigned self = 0;
    cpg_local_get(connected.handle, &self);
    connected.self = NodeId{self};
    cpg_name name{};
    name.length = static_cast<std::uint32_t>(std::min(group.size(), sizeof name.value));
    std::memcpy(name.value, group.data(), name.length);
    for (int attempt = 0; attempt < 50; ++attempt) {
        error = cpg_join(connected.handle, &name);
        if (error != CS_ERR_TRY_AGAIN) {
            break;
        }
        // Only at start, before anything depends on this process: the ring is forming.
        usleep(100'000);
    }
    if (error != CS_OK) {
        return fail(Errc::unreachable,
                    fmt::format("joining the group '{}': {}", group, cs_strerror(error)));
    }
    cpg_fd_get(connected.handle, &connected.fd);
    VPNHA_CHECK(loop.watch(connected.fd, [&connected] { connected.dispatch(); }));
    return joined;
}

NodeId CorosyncGroup::self() const {
    return state_->self;
}

bool CorosyncGroup::counts() const {
    const auto own = state_->members.find(state_->self);
    return own == state_->members.end() || own->second == State::own_process();
}

Result<bool> CorosyncGroup::send(ByteView message) {
    iovec part{const_cast<std::uint8_t*>(message.data()), message.size()};
    const cs_error_t error = cpg_mcast_joined(state_->handle, CPG_TYPE_AGREED, &part, 1);
    if (error == CS_ERR_TRY_AGAIN) {
        return false;
    }
    if (error != CS_OK) {
        return fail(Errc::unreachable, fmt::format("cpg_mcast_joined: {}", cs_strerror(error)));
    }
    return true;
}

}  // namespace vpnha::adapters
