// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/corosync/cluster_map.hpp"

#include <corosync/cmap.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>

#include "base/ip.hpp"
#include "host/corosync/connection.hpp"

namespace vpnha::adapters {

namespace {

constexpr const char* kTransport = "totem.transport";
constexpr const char* kSecauth = "totem.secauth";
constexpr const char* kCipher = "totem.crypto_cipher";
constexpr const char* kClusterName = "totem.cluster_name";
constexpr const char* kKeyFile = "totem.keyfile";
constexpr const char* kIpVersion = "totem.ip_version";
constexpr const char* kLinkMode = "totem.link_mode";
constexpr const char* kQuorumDevice = "quorum.device.model";
constexpr const char* kNodes = "nodelist.node.";
constexpr const char* kOwnPosition = "nodelist.local_node_pos";
// Links of a knet node (KNET_MAX_LINK).
constexpr std::size_t kLinksMax = 8;
constexpr const char* kKeyFileDefault = "/etc/corosync/authkey";

}  // namespace

struct ClusterMap::State {
    FdWatch* loop = nullptr;
    Listener listener;
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

    // nullopt: corosync.conf does not have it.
    [[nodiscard]] std::optional<bool> flag(const char* key) const {
        std::uint8_t value = 0;
        return cmap_get_uint8(handle, key, &value) == CS_OK ? std::optional(value != 0)
                                                            : std::nullopt;
    }

    static void on_key(cmap_handle_t, cmap_track_handle_t, std::int32_t, const char*,
                       cmap_notify_value, cmap_notify_value, void* state) {
        static_cast<State*>(state)->listener.on_change();
    }

    static void on_node(cmap_handle_t, cmap_track_handle_t, std::int32_t, const char*,
                        cmap_notify_value, cmap_notify_value, void* state) {
        static_cast<State*>(state)->listener.on_nodes();
    }

    // The numbers in nodelist.node.NUMBER.
    [[nodiscard]] std::set<unsigned> positions() const {
        std::set<unsigned> found;
        cmap_iter_handle_t iterator = 0;
        if (cmap_iter_init(handle, kNodes, &iterator) != CS_OK) {
            return found;
        }
        std::array<char, CMAP_KEYNAME_MAXLEN + 1> key{};
        std::size_t size = 0;
        cmap_value_types_t type{};
        while (cmap_iter_next(handle, iterator, key.data(), &size, &type) == CS_OK) {
            unsigned position = 0;
            const char* const number = key.data() + std::strlen(kNodes);
            if (std::from_chars(number, key.data() + std::strlen(key.data()), position).ec ==
                std::errc{}) {
                found.insert(position);
            }
        }
        cmap_iter_finalize(handle, iterator);
        return found;
    }

    void dispatch() {
        const cs_error_t error = cmap_dispatch(handle, CS_DISPATCH_ALL);
        if (error != CS_OK && error != CS_ERR_TRY_AGAIN) {
            loop->unwatch(fd);
            fd = -1;
            listener.on_lost();
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

NameAddress name_address(std::string_view ip_version, std::string_view transport) {
    if (ip_version == "ipv4") {
        return NameAddress::ipv4;
    }
    if (ip_version == "ipv6") {
        return NameAddress::ipv6;
    }
    if (ip_version == "ipv4-6") {
        return NameAddress::ipv4_first;
    }
    return ip_version != "ipv6-4" && transport == "udp" ? NameAddress::ipv4
                                                        : NameAddress::ipv6_first;
}

std::string node_name(const std::string& name, const std::string& ring0_addr) {
    const bool is_host = name.empty() && !parse_ip(ring0_addr);
    return is_host ? ring0_addr : name;
}

ClusterMap::ClusterMap(std::unique_ptr<State> state) : state_(std::move(state)) {}

ClusterMap::~ClusterMap() {
    if (state_->fd >= 0) {
        state_->loop->unwatch(state_->fd);
    }
    cmap_finalize(state_->handle);
}

Result<std::unique_ptr<ClusterMap>> ClusterMap::open(FdWatch& loop, Listener listener) {
    auto state = std::make_unique<State>();
    state->loop = &loop;
    state->listener = std::move(listener);
    const cs_error_t error = cmap_initialize(&state->handle);
    if (error != CS_OK) {
        return not_connected(error);
    }
    std::unique_ptr<ClusterMap> map(new ClusterMap(std::move(state)));
    State& opened = *map->state_;
    constexpr std::int32_t kChanges = CMAP_TRACK_ADD | CMAP_TRACK_DELETE | CMAP_TRACK_MODIFY;
    const auto track = [&opened](const char* key, std::int32_t kinds,
                                 cmap_notify_fn_t on_write) -> Result<void> {
        cmap_track_handle_t handle = 0;
        const cs_error_t tracked =
            cmap_track_add(opened.handle, key, kinds, on_write, &opened, &handle);
        if (tracked != CS_OK) {
            return fail(Errc::unreachable,
                        fmt::format("cmap_track_add for {}: {}", key, cs_strerror(tracked)));
        }
        return {};
    };
    for (const char* key : {kTransport, kSecauth, kCipher}) {
        VPNHA_CHECK(track(key, kChanges, &State::on_key));
    }
    VPNHA_CHECK(track(kNodes, kChanges | CMAP_TRACK_PREFIX, &State::on_node));
    cmap_fd_get(opened.handle, &opened.fd);
    VPNHA_CHECK(loop.watch(opened.fd, [&opened] { opened.dispatch(); }));
    return map;
}

TotemKeys ClusterMap::totem() const {
    return {state_->text(kTransport), state_->text(kSecauth), state_->text(kCipher)};
}

NameAddress ClusterMap::name_address() const {
    return adapters::name_address(state_->text(kIpVersion), state_->text(kTransport));
}

std::string ClusterMap::link_mode() const {
    const std::string mode = state_->text(kLinkMode);
    return mode.empty() ? "passive" : mode;
}

std::vector<ClusterNode> ClusterMap::nodes() const {
    std::vector<ClusterNode> nodes;
    for (const unsigned position : state_->positions()) {
        ClusterNode node;
        const std::string prefix = fmt::format("{}{}.", kNodes, position);
        if (cmap_get_uint32(state_->handle, (prefix + "nodeid").c_str(), &node.id.value) != CS_OK) {
            continue;  // Being added or removed.
        }
        for (std::size_t link = 0; link < kLinksMax; ++link) {
            const std::string address =
                state_->text(fmt::format("{}ring{}_addr", prefix, link).c_str());
            if (!address.empty()) {
                node.links.resize(link);
                node.links.push_back(address);
            }
        }
        node.name = node_name(state_->text((prefix + "name").c_str()),
                              state_->text((prefix + "ring0_addr").c_str()));
        nodes.push_back(std::move(node));
    }
    std::sort(nodes.begin(), nodes.end(),
              [](const ClusterNode& a, const ClusterNode& b) { return a.id < b.id; });
    return nodes;
}

Result<NodeId> ClusterMap::self() const {
    NodeId self{};
    std::uint32_t position = 0;
    if (cmap_get_uint32(state_->handle, kOwnPosition, &position) != CS_OK ||
        cmap_get_uint32(state_->handle, fmt::format("{}{}.nodeid", kNodes, position).c_str(),
                        &self.value) != CS_OK) {
        return fail(Errc::unreachable, "corosync does not name this node");
    }
    return self;
}

QuorumKeys ClusterMap::quorum() const {
    QuorumKeys keys;
    keys.two_node = state_->flag("quorum.two_node").value_or(false);
    keys.wait_for_all = state_->flag("quorum.wait_for_all").value_or(keys.two_node);
    keys.last_man_standing = state_->flag("quorum.last_man_standing").value_or(false);
    keys.auto_tie_breaker = state_->flag("quorum.auto_tie_breaker").value_or(false);
    keys.device = state_->text(kQuorumDevice);
    return keys;
}

std::string ClusterMap::cluster_name() const {
    return state_->text(kClusterName);
}

std::string ClusterMap::key_file() const {
    const std::string path = state_->text(kKeyFile);
    return path.empty() ? kKeyFileDefault : path;
}

}  // namespace vpnha::adapters
