// SPDX-License-Identifier: GPL-2.0-or-later
// A running witness: WitnessHost with sockets, a clock, a disk and a log, in one loop. A separate
// thread saves, so rounds are answered meanwhile. A turn of the loop reads a bounded number of
// datagrams of each socket: a flood of one does not delay the clock or the others.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "cluster/lease/witness_host.hpp"
#include "cluster/lease/witness_key.hpp"
#include "host/os/unique_fd.hpp"
#include "witness/event_log.hpp"
#include "witness/options.hpp"
#include "witness/udp_ports.hpp"
#include "witness/vote_files.hpp"

namespace vpnha::witness {

class Service {
  public:
    // All mistakes, a line each. The key must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<Service>> start(const Options& options,
                                                                const lease::WitnessKey& key);
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // Until SIGTERM or SIGINT. Error: the last state could not be saved.
    [[nodiscard]] Result<void> run();

  private:
    struct Counters {
        std::uint64_t oversized = 0;  // Longer than a datagram can be.
        std::uint64_t unsent = 0;
        std::uint64_t saves = 0;
        std::uint64_t failed_saves = 0;
    };

    Service(const lease::WitnessKey& key, std::unique_ptr<EventLog> log,
            std::unique_ptr<VoteFiles> files, UdpPorts ports, adapters::UniqueFd signals);

    void wait();
    void on_signals();
    void receive(int fd);
    void look_around(TimePoint now);
    void note_nodes(TimePoint now);
    void note_gateways(TimePoint now);
    void carry_out(const lease::WitnessHost::Orders& orders);
    void note_saved(GatewayId gateway, const Result<void>& saved, TimePoint now);
    [[nodiscard]] Result<void> save_last();
    void write_state(TimePoint now);
    void write_gateways(TimePoint now);
    void emit(Level level, const std::string& text, TimePoint now) {
        log_->write(level, text, now);
    }

    lease::LeaseKey key_;
    std::unique_ptr<EventLog> log_;
    std::unique_ptr<VoteFiles> files_;
    UdpPorts ports_;
    adapters::UniqueFd signals_;  // A signalfd.
    std::unique_ptr<lease::WitnessHost> host_;
    TimePoint started_;
    TimePoint look_at_;
    TimePoint state_at_;
    std::set<NodeId> received_;
    std::set<GatewayId> remembering_;
    std::set<GatewayId> known_;
    std::set<GatewayId> unsaved_;  // Their last save failed.
    Counters counters_;
    bool ending_ = false;
};

}  // namespace vpnha::witness
