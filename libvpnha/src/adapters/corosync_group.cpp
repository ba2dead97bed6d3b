// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/corosync_group.hpp"

#include <corosync/cpg.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <map>

namespace vpnha::adapters {

struct CorosyncGroup::State {
    QbLoop* loop = nullptr;
    Listener listener;
    cpg_handle_t handle = 0;
    int fd = -1;
    NodeId self{};
    // The process that counts for each node: the first one seen.
    std::map<NodeId, std::uint32_t> members;

    static State& of(cpg_handle_t handle) {
        void* context = nullptr;
        cpg_context_get(handle, &context);
        return *static_cast<State*>(context);
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
                state.members.erase(member);
                restarted = true;
            }
        }
        if (restarted) {
            state.tell();
        }
        for (std::size_t i = 0; i < present_count; ++i) {
            state.members.try_emplace(NodeId{present[i].nodeid}, present[i].pid);
        }
        state.tell();
    }

    void tell() const {
        std::set<NodeId> nodes;
        for (const auto& [node, process] : members) {
            nodes.insert(node);
        }
        listener.on_members(nodes);
    }

    void dispatch() {
        const cs_error_t error = cpg_dispatch(handle, CS_DISPATCH_ALL);
        if (error != CS_OK && error != CS_ERR_TRY_AGAIN) {
            loop->unwatch(fd);
            fd = -1;
            listener.on_lost();
        }
    }
};

CorosyncGroup::CorosyncGroup(std::unique_ptr<State> state) : state_(std::move(state)) {}

CorosyncGroup::~CorosyncGroup() {
    if (state_->fd >= 0) {
        state_->loop->unwatch(state_->fd);
    }
    cpg_finalize(state_->handle);
}

Result<std::unique_ptr<CorosyncGroup>> CorosyncGroup::join(QbLoop& loop, const std::string& group,
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
        return fail(Errc::unreachable,
                    fmt::format("corosync does not answer ({}); is it running on this node?",
                                cs_strerror(error)));
    }
    std::unique_ptr<CorosyncGroup> joined(new CorosyncGroup(std::move(state)));
    State& connected = *joined->state_;
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
