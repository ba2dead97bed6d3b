// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of WireGuard: a device for each gateway that has it.
// A thread carries out requests to the kernel in order. Answers come
// in slices: a reading of 100 000 peers must not block the loop.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/os/background.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/backends.hpp"
#include "protocols/wireguard/backend/peer_kernel.hpp"
#include "protocols/wireguard/work.hpp"

namespace vpnha::runtime {

class Wireguard final : public ports::Backend {
  public:
    using Kernels = std::map<GatewayId, std::unique_ptr<ports::PeerKernel>>;

    // nullptr when no gateway has WireGuard. Errors are those of netlink and of the cluster's key.
    [[nodiscard]] static ports::OpenedBackend open(const ports::BackendHost& host);
    // `loop` must outlive it. It has three timers, from `first_timer` on.
    Wireguard(adapters::QbLoop& loop, int first_timer, Kernels kernels, Notify notify);
    ~Wireguard() override;

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;
    void finish() override;

  private:
    // The state for one gateway.
    struct Place {
        std::unique_ptr<ports::PeerKernel> kernel;                  // Used by the thread only,
        std::map<wireguard::PublicKey, wireguard::PeerState> read;  // like this: as last reported.
        std::vector<node::SetPeer> to_set;                          // In this turn of the loop.
    };
    using Work = std::function<Result<void>(Place&)>;
    using Done = std::function<void(const Result<void>&)>;

    void carry_out(const node::RaiseDevice& work);
    void carry_out(const node::LowerDevice& work);
    void carry_out(node::SetPeer& work);
    void carry_out(const node::RemovePeer& work);
    void carry_out(const node::UseVip& work);
    void carry_out(node::SetKeepalives& work);
    void carry_out(const node::ReadPeers& work);
    void carry_out(const node::LoadPeers& work);

    // Queues the work after earlier requests. Without `done` a failure is logged.
    void add(GatewayId gateway, std::string what, Work work, Done done = nullptr);
    void set_collected(GatewayId gateway);
    // The changes since the last reading; runs in the thread.
    [[nodiscard]] static Result<std::vector<wireguard::PeerState>> read_news(Place& place);
    // In slices, each in its own turn of the loop.
    void report_in_slices(std::function<bool()> report_some);
    void report_slices();

    adapters::QbLoop& loop_;
    int first_timer_;
    Notify notify_;
    std::map<GatewayId, Place> places_;
    std::deque<std::function<bool()>> slices_;  // Each is called until it returns false.
    adapters::BackgroundQueue jobs_;            // Its thread ends first.
};

}  // namespace vpnha::runtime
