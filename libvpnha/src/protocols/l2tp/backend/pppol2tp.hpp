// SPDX-License-Identifier: GPL-2.0-or-later
// Hot L2TP sessions in this node's kernel, and the bytes that the kernel leaves to user space.
//
// A tunnel is created over generic netlink under the name n << 16 | tunnel id, n >= 1. Stock xl2tpd
// names its own by the 16-bit id alone (n = 0) and therefore can go on with any id beside it; the
// lower half must be the real id, because newer kernels look packets up by it. For the same kernels
// no (0, 0) management socket is opened: it would take the place of xl2tpd's.
//
// The interface is up while hot. Only the gate keeps the node silent then, so a record with an
// address that the gate does not cover is refused.
//
// All of it dies with this process: the kernel frees units, sessions and tunnels when their
// descriptors close (tests/kernel holds it to that), so a start finds no leftovers of a dead
// vpnhad. Freeing a tunnel takes the kernel a moment; meanwhile its name is refused, and the next n
// is taken.
//
// Somebody may delete tunnels and sessions under us. No descriptor shows that, but the kernel tells
// it over netlink before it does it: so what it told about is looked for some milliseconds later,
// and, as a tunnel takes longer, again after twice the time.
//
// One thread: that of the loop.
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
    // `tell` has what arrives for sessions installed here, from the event loop, never from within a
    // call of this object. `on_networks` is called within install() and remove(); where it fails,
    // so does the install. Error unsupported when the kernel lacks l2tp_netlink.
    [[nodiscard]] static Result<std::unique_ptr<PppoL2tpKernel>> create(
        const config::Config& config, QbLoop& loop, ports::Backend::Tell tell,
        ppp::ClientNetworks::Lead on_networks);
    ~PppoL2tpKernel();
    PppoL2tpKernel(const PppoL2tpKernel&) = delete;
    PppoL2tpKernel& operator=(const PppoL2tpKernel&) = delete;

    // Tunnel (when it is the first session of it), session, PPP unit up with its addresses, the
    // client's route in the gateway's own table. Silent: the gate hides it. Installing what is
    // installed already is a success; on failure nothing of it remains.
    Result<void> install(GatewayId gateway, const l2tp::SessionRecord& record);
    // Nothing of it remains, nor of its tunnel when it was the last one; removing what is not there
    // is a success.
    Result<void> remove(GatewayId gateway, const l2tp::SessionKey& key);
    // Of the sessions installed here, those that the kernel still has; what is left of the others
    // is cleared away.
    [[nodiscard]] Result<std::set<l2tp::SessionKey>> audit(GatewayId gateway);
    // The name of its interface; empty when it is not installed.
    [[nodiscard]] std::string interface_of(const l2tp::SessionKey& key) const;
    // A tunnel without an installed session speaks by a socket alone, until remove() of one of its
    // sessions: what the kernel refused can be ended towards its client.
    Result<void> send_datagram(GatewayId gateway, const l2tp::TunnelKey& tunnel, ByteView bytes);
    Result<void> send_frame(GatewayId gateway, const l2tp::SessionKey& session, ByteView frame);

    // The tunnel stays until drop_call(), whatever sessions it has.
    Result<void> keep_for_call(GatewayId gateway, const l2tp::SessionKey& call);
    // The socket of its session, which lives as long as that. Error not_found: it is not kept.
    [[nodiscard]] Result<UniqueFd> open_call(const l2tp::SessionKey& call);
    // One that is not kept is a success.
    Result<void> drop_call(const l2tp::SessionKey& call);

  private:
    struct Tunnel {
        UniqueFd udp;
        std::uint32_t connection_id = 0;  // 0: a socket alone; the kernel knows of no tunnel.
        std::size_t sessions = 0;
        std::set<l2tp::SessionKey> calls{};  // New ones, each with a pppd, or waiting for it.
    };
    struct Session {
        GatewayId gateway;
        l2tp::SessionRecord record;
        PppLink link;
    };
    // What a readable descriptor belongs to; of `key` only the tunnel when it is a UDP socket.
    struct Source {
        enum class Kind { datagram, frame, events, search } kind;
        GatewayId gateway;
        l2tp::SessionKey key;
    };

    PppoL2tpKernel(const config::Config& config, QbLoop& loop, ports::Backend::Tell tell,
                   ppp::ClientNetworks::Lead on_networks, RouteNetlink route);

    [[nodiscard]] Result<const config::Gateway*> settings_of(GatewayId gateway) const;
    Result<Tunnel*> open_tunnel(GatewayId gateway, const l2tp::TunnelKey& key);
    // With a socket; as good as open when there is one.
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
    // Looks for the sessions of that tunnel soon.
    void suspect(std::uint32_t connection_id);
    void arm_search();
    void search();
    // Each gateway is to ask what is still there.
    void tell_news_lost();

    const config::Config* config_;
    QbLoop* loop_;
    ports::Backend::Tell tell_;
    ppp::ClientNetworks networks_;
    RouteNetlink route_;
    // Not where no gateway has L2TP: the kernel need not have it then.
    std::optional<L2tpNetlink> l2tp_;
    std::optional<L2tpEvents> events_;
    UniqueFd search_timer_;
    std::set<std::uint32_t> suspects_;  // Connection ids of tunnels.
    std::size_t searches_ = 0;          // Of these suspects, so far.
    // All descriptors of all sessions behind one that the loop sees: the loop's own table is
    // searched linearly.
    UniqueFd epoll_;
    std::map<l2tp::TunnelKey, Tunnel> tunnels_;
    std::map<l2tp::SessionKey, Session> sessions_;
    DeviceRemover remover_;
    std::set<std::uint32_t> connection_ids_;
    std::unordered_map<int, Source> sources_;
};

}  // namespace vpnha::adapters
