// SPDX-License-Identifier: GPL-2.0-or-later
// The link to a witness: the lease's datagrams under its key, over UDP, to all of its configured
// addresses. The witness answers to a datagram's source, so the sockets are bound to no port. Each
// second the link checks the routes, since an address of this node may have changed, and names are
// looked up beside the loop; until an answer comes the last addresses hold.
//
// Messages that a witness must not send (lease::is_word_of_witness) are dropped here, and so are
// this node's own datagrams if they are sent back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "host/lease/lease_socket.hpp"
#include "host/os/background.hpp"
#include "host/os/qb_loop.hpp"

namespace vpnha::adapters {

struct WitnessOptions {
    config::Witness witness;
    std::vector<IpPrefix> covered;  // By the gates of all gateways.
};

class WitnessLink {
  public:
    using OnMessage = std::function<void(GatewayId, const lease::Sender&, const lease::Message&)>;

    // Sends Hello. The loop must outlive it. `cluster_key` is read during the call only.
    WitnessLink(QbLoop& loop, const WitnessOptions& options, const lease::Sender& self,
                std::string_view cluster_key, std::vector<GatewayId> gateways,
                OnMessage on_message);
    ~WitnessLink();
    WitnessLink(const WitnessLink&) = delete;
    WitnessLink& operator=(const WitnessLink&) = delete;

    // The node sends Hello each second, so this is called at least as often.
    void send(GatewayId gateway, const lease::Message& message);
    [[nodiscard]] const LeaseCounters& counters() const { return counters_; }

  private:
    // A configured host.
    struct Host {
        config::HostPort at;
        std::vector<SocketAddress> found;
        std::string error;  // Of the last look-up.
    };
    struct Way {
        SocketAddress to;
        std::optional<SocketAddress> from;  // None: nothing can be sent there.
        std::string error;
    };
    // A number, or a name that was looked up.
    using Found = std::vector<Result<std::vector<SocketAddress>>>;

    [[nodiscard]] static Found look_up(const std::vector<config::HostPort>& hosts, int flags);
    [[nodiscard]] std::vector<config::HostPort> configured() const;
    void note_errors(const Found& found);
    void look_up_names();
    void take_found(const Found& found);
    void choose_ways();
    [[nodiscard]] int socket_of(int family);
    [[nodiscard]] bool send_to(const Way& way, ByteView bytes);
    void receive(int fd);
    void take(ByteView bytes);

    QbLoop& loop_;
    OnMessage on_message_;
    lease::Exchange exchange_;
    std::vector<GatewayId> gateways_;
    std::vector<IpPrefix> covered_;
    std::vector<Host> hosts_;
    std::vector<Way> ways_;
    std::map<int, UniqueFd> sockets_;  // By their families.
    TimePoint ways_at_{};
    TimePoint names_at_{};
    LeaseCounters counters_;
    Background background_;
};

}  // namespace vpnha::adapters
