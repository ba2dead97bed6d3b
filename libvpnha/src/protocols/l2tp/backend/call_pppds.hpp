// SPDX-License-Identifier: GPL-2.0-or-later
// The pppds of new calls in tunnels that were taken over. vpnhad starts them as xl2tpd starts its
// own: with the options of its [lns] and the session's socket. `is_helper` of xl2tpd's StockKind
// finds them by their options file, so they end with the gateway's stock daemons.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "host/os/poll_set.hpp"
#include "host/os/unique_fd.hpp"
#include "protocols/l2tp/model/session_record.hpp"

namespace vpnha::adapters {

class CallPppds {
  public:
    // A pppd has ended; called from the loop.
    using Over = std::function<void(GatewayId, const l2tp::SessionKey&, const std::string& why)>;

    // `loop` must outlive it. `program`, `run_root`: for tests.
    [[nodiscard]] static Result<std::unique_ptr<CallPppds>> create(
        QbLoop& loop, Over over, std::string program = "/usr/sbin/pppd",
        std::string run_root = "/run/vpnha");
    // Kills them without a message to their peers: vpnhad's tunnels end with it.
    ~CallPppds();
    CallPppds(const CallPppds&) = delete;
    CallPppds& operator=(const CallPppds&) = delete;

    // `session`: its socket in the kernel. `taken`: addresses of other clients.
    Result<void> start(const config::Gateway& gateway, const l2tp::SessionKey& call,
                       const UniqueFd& session, std::set<Ipv4Address> taken);
    // pppd sends Terminate-Request to its client, and over() follows. False: there is no pppd.
    bool end(const l2tp::SessionKey& call);

  private:
    struct Pppd {
        GatewayId gateway;
        pid_t pid = 0;
        UniqueFd ended;
        std::optional<Ipv4Address> address;  // The address for its client.
    };

    CallPppds(std::unique_ptr<PollSet> polls, Over over, std::string program, std::string run_root)
        : polls_(std::move(polls)),
          over_(std::move(over)),
          program_(std::move(program)),
          run_root_(std::move(run_root)) {}

    void on_end(const l2tp::SessionKey& call);

    std::unique_ptr<PollSet> polls_;
    Over over_;
    std::string program_;
    std::string run_root_;
    std::map<l2tp::SessionKey, Pppd> pppds_;
};

// Arguments of the pppd of a call, as xl2tpd passes them; descriptor `socket` is the session.
[[nodiscard]] std::vector<std::string> call_arguments(const std::string& program, int socket,
                                                      const l2tp::SessionKey& call,
                                                      const std::vector<std::string>& options);

}  // namespace vpnha::adapters
