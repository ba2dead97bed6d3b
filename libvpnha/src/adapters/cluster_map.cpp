// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/cluster_map.hpp"

#include <corosync/cmap.h>
#include <fmt/format.h>

#include <cstdlib>

namespace vpnha::adapters {

namespace {

constexpr const char* kTransport = "totem.transport";
constexpr const char* kSecauth = "totem.secauth";
constexpr const char* kCipher = "totem.crypto_cipher";
constexpr const char* kKeyFile = "totem.keyfile";
constexpr const char* kKeyFileDefault = "/etc/corosync/authkey";

}  // namespace

struct ClusterMap::State {
    QbLoop* loop = nullptr;
    std::function<void()> on_change;
    cmap_handle_t handle = 0;
    int fd = -1;

    [[nodiscard]] std::string text(const char* key) const {
        char* value = nullptr;
        if (cmap_get_string(handle, key, &value) != CS_OK) {
            return {};
        }
        std::string copy(value);
        std::free(value);  // NOLINT(cppcoreguidelines-no-malloc): libcmap's allocation.
        return copy;
    }

    static void on_key(cmap_handle_t, cmap_track_handle_t, std::int32_t, const char*,
                       cmap_notify_value, cmap_notify_value, void* state) {
        static_cast<State*>(state)->on_change();
    }

    void dispatch() {
        const cs_error_t error = cmap_dispatch(handle, CS_DISPATCH_ALL);
        if (error != CS_OK && error != CS_ERR_TRY_AGAIN) {
            // Corosync is gone, which ends vpnhad by way of its group.
            loop->unwatch(fd);
            fd = -1;
        }
    }
};

std::string unencrypted_because(const TotemKeys& keys) {
    if (!keys.transport.empty() && keys.transport != "knet") {
        return fmt::format("totem.transport is {}, and only knet encrypts", keys.transport);
    }
    if (keys.crypto_cipher == "none") {
        return "totem.crypto_cipher is none";
    }
    if (keys.crypto_cipher.empty() && keys.secauth != "on") {
        return "totem.crypto_cipher is not set";
    }
    return {};
}

ClusterMap::ClusterMap(std::unique_ptr<State> state) : state_(std::move(state)) {}

ClusterMap::~ClusterMap() {
    if (state_->fd >= 0) {
        state_->loop->unwatch(state_->fd);
    }
    cmap_finalize(state_->handle);
}

Result<std::unique_ptr<ClusterMap>> ClusterMap::open(QbLoop& loop,
                                                     std::function<void()> on_change) {
    auto state = std::make_unique<State>();
    state->loop = &loop;
    state->on_change = std::move(on_change);
    const cs_error_t error = cmap_initialize(&state->handle);
    if (error != CS_OK) {
        return fail(Errc::unreachable,
                    fmt::format("corosync does not answer ({}); is it running on this node?",
                                cs_strerror(error)));
    }
    std::unique_ptr<ClusterMap> map(new ClusterMap(std::move(state)));
    State& opened = *map->state_;
    for (const char* key : {kTransport, kSecauth, kCipher}) {
        cmap_track_handle_t track = 0;
        const cs_error_t tracked = cmap_track_add(
            opened.handle, key, CMAP_TRACK_ADD | CMAP_TRACK_DELETE | CMAP_TRACK_MODIFY,
            &State::on_key, &opened, &track);
        if (tracked != CS_OK) {
            return fail(Errc::unreachable,
                        fmt::format("cmap_track_add for {}: {}", key, cs_strerror(tracked)));
        }
    }
    cmap_fd_get(opened.handle, &opened.fd);
    VPNHA_CHECK(loop.watch(opened.fd, [&opened] { opened.dispatch(); }));
    return map;
}

TotemKeys ClusterMap::totem() const {
    return {state_->text(kTransport), state_->text(kSecauth), state_->text(kCipher)};
}

std::string ClusterMap::key_file() const {
    const std::string path = state_->text(kKeyFile);
    return path.empty() ? kKeyFileDefault : path;
}

}  // namespace vpnha::adapters
