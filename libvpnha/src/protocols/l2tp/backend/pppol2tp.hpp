// SPDX-License-Identifier: GPL-2.0-or-later
// Hot L2TP sessions in this node's kernel, and the packets that the kernel passes to user space.
//
// A tunnel is created over generic netlink under the name n << 16 | tunnel id, n >= 1. Stock xl2tpd
// names its own by the 16-bit id alone (n = 0), so it can use any id beside it. The lower half must
// be the real id, because newer kernels look packets up by it. For the same kernels no (0, 0)
// management socket is opened: it would take the place of xl2tpd's.
//
// The interface is up while hot. Only the gate keeps the node silent then, so a record with an
// address that the gate does not cover is refused.
//
// All of it ends with this process: the kernel frees units, sessions and tunnels when their
// descriptors close (tested in tests/kernel). So a start finds no leftovers of a dead vpnhad.
// Freeing a tunnel takes the kernel a moment; meanwhile its name is refused, and the next n is
// taken.
//
// Other programs may delete these tunnels and sessions. No descriptor shows that, but the kernel
// announces it over netlink beforehand. So the announced objects are checked some milliseconds
// later. A tunnel takes longer, so the check is repeated after twice the time.
//
// Used by one thread only: that of the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "config/config.hpp"
#include "host/netlink/device_remover.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/backend.hpp"
#include "protocols/l2tp/backend/netlink_l2tp.hpp"
#include "protocols/l2tp/backend/pppol2tp_link.hpp"
#include "protocols/l2tp/model/session_record.hpp"
#include "protocols/ppp/model/client_networks.hpp"

namespace vpnha::adapters {

class PppoL2tpKernel final {
  public:
    // Raises this process's limit of open files. `config` and `loop` must outlive the object.
    // `notify` receives the packets for sessions installed here, from the event loop, never from
    // within a call of this object. `on_networks` is called within install() and remove(); if it
    // fails, the install fails. Error unsupported when the kernel has no l2tp_netlink.
    [[nodiscard]] static Result<std::unique_ptr<PppoL2tpKernel>> create(
        const config::Config& config, QbLoop& loop, ports::Backend::Notify notify,
        ppp::ClientNetworks::Lead on_networks);
    ~PppoL2tpKernel();
    PppoL2tpKernel(const PppoL2tpKernel&) = delete;
    PppoL2tpKernel& operator=(const PppoL2tpKernel&) = delete;

    // Creates the tunnel (for its first session), the session, the PPP unit with its addresses, and
    // the client's route in the gateway's own table. The gate keeps it silent. Repeating an install
    // is a success; a failed install leaves nothing behind.
    Result<void> install(GatewayId gateway, const l2tp::SessionRecord& record);
    // Removes it completely, and its tunnel with the last session. Removing a session that is not
    // there is a success.
    Result<void> remove(GatewayId gateway, const l2tp::SessionKey& key);
    // The sessions installed here that the kernel
    // still has; remains of the others are removed.
    [[nodiscard]] Result<std::set<l2tp::SessionKey>> audit(GatewayId gateway);
    // The name of its interface; empty when it is not installed.
    [[nodiscard]] std::string interface_of(const l2tp::SessionKey& key) const;
    // A tunnel without an installed session sends by a socket alone, until remove() of one of its
    // sessions. So a session that the kernel refused can be ended towards its client.
    Result<void> send_datagram(GatewayId gateway, const l2tp::TunnelKey& tunnel, ByteView bytes);
    Result<void> send_frame(GatewayId gateway, const l2tp::SessionKey& session, ByteView frame);

    // The tunnel stays until drop_call(), whatever sessions it has.
    Result<void> keep_for_call(GatewayId gateway, const l2tp::SessionKey& call);
    // The session's socket; the session lives as long as it. Error not_found: it is not kept.
    [[nodiscard]] Result<UniqueFd> open_call(const l2tp::SessionKey& call);
    // Dropping a call that is not kept is a success.
    Result<void> drop_call(const l2tp::SessionKey& call);

  private:
    struct Tunnel {
        UniqueFd udp;
        std::uint32_t connection_id = 0;  // 0: only a socket; the kernel has no tunnel.
        std::size_t sessions = 0;
        std::set<l2tp::SessionKey> calls{};  // New ones, each with a pppd, or waiting for it.
    };
    struct Session {
        GatewayId gateway;
        l2tp::SessionRecord record;
        PppLink link;
    };
    // The owner of a readable descriptor; for a UDP socket only the tunnel of `key` is set.
    struct Source {
        enum class Kind { datagram, frame, events, search } kind;
        GatewayId gateway;
        l2tp::SessionKey key;
    };

    PppoL2tpKernel(const config::Config& config, QbLoop& loop, ports::Backend::Notify notify,
                   ppp::ClientNetworks::Lead on_networks, RouteNetlink route);

    [[nodiscard]] Result<const config::Gateway*> settings_of(GatewayId gateway) const;
    Result<Tunnel*> open_tunnel(GatewayId gateway, const l2tp::TunnelKey& key);
    // With a socket; it may be open already.
    Result<Tunnel*> find_or_open_socket(GatewayId gateway, const l2tp::TunnelKey& key);
    Result<std::uint32_t> create_named_tunnel(const l2tp::TunnelKey& key, int udp);
    [[nodiscard]] L2tpNetlink::SessionName name_in_kernel(const l2tp::SessionKey& key) const;
    Result<void> close_tunnel_if_unused(const l2tp::TunnelKey& key);
    Result<PppLink> open_link(const config::Gateway& gateway, const Tunnel& tunnel,
                              const l2tp::SessionRecord& record);
    Result<void> watch(int fd, const Source& source);
    void unwatch(int fd);
    Result<void> open_l2tp();
    Result<void> open_poll_set();
    void on_readable();
    void read_one(int fd);
    void on_events();
    // Checks the sessions of that tunnel soon.
    void suspect(std::uint32_t connection_id);
    void arm_search();
    void search();
    // Each gateway is to check which sessions are still there.
    void report_news_lost();

    const config::Config* config_;
    QbLoop* loop_;
    ports::Backend::Notify notify_;
    ppp::ClientNetworks networks_;
    RouteNetlink route_;
    // Empty where no gateway has L2TP: the kernel need not support it then.
    std::optional<L2tpNetlink> l2tp_;
    std::optional<L2tpEvents> events_;
    UniqueFd search_timer_;
    std::set<std::uint32_t> suspects_;  // Connection ids of tunnels.
    std::size_t searches_ = 0;          // Number of searches for these suspects.
    // One descriptor on the loop for all descriptors of all sessions: the loop searches its own
    // table linearly.
    UniqueFd epoll_;
    std::map<l2tp::TunnelKey, Tunnel> tunnels_;
    std::map<l2tp::SessionKey, Session> sessions_;
    DeviceRemover remover_;
    std::set<std::uint32_t> connection_ids_;
    std::unordered_map<int, Source> sources_;
};

}  // namespace vpnha::adapters
