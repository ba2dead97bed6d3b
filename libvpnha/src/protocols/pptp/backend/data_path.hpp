// SPDX-License-Identifier: GPL-2.0-or-later
// The data path of PPTP calls that this node took over, or may take over, in a separate program,
// carry-calls. Each call has a pptp::ResumedCall and a TUN device in place of its ppp unit; each
// VIP has a raw GRE socket. The program has no privileges (host/helper/sandbox.hpp): a thread of
// vpnhad gives it its descriptors (path_broker.hpp). The loop posts commands and reads events;
// neither waits for the other, so a hanging data path delays no lease.
//
//   command           | answer
//   ------------------+--------------------------------------------------------------------------
//   Prepare           | CallPrepared with the ticket. Replaces an earlier preparation
//   SetCallNumbers    | –
//   RemoveCall        | –. Its socket is closed silently, its device deleted
//   EndCall           | MeantEnd and CallEnded, once it may send
//   DismissCall       | –
//   ResumeCalls       | for each call CallResumed or, without a peer, MeantEnd and CallEnded
//   ReleaseCalls      | –. Outgoing packets have waited at the device
//   PauseCalls        | –. All calls of the gateway; ResumeCalls{exact} continues them
//   ReadCalls         | NumbersRead with the ticket: all live calls, none left out
//   MayEnd            | CallEnded, when the FIN has been sent
//
// NumbersRead{ticket 0} of calls with changed numbers comes unasked each 100 ms, and after 512
// packets. MeantEnd of a call that is over also comes unasked: its FIN waits until MayEnd, a second
// at most, so that the loop can make the gate pass it.
//
// The GRE sockets are open from the start to the end, on standbys too: a node without one answers a
// client with an ICMP error, which ends its call. The gate, not the data path, drops RST and FIN of
// connections whose end nobody requested.
//
// If the program dies or violates its protocol, failure() has the reason once events_fd() is
// readable. No events follow: another node has to take its calls over.
//
//   auto path = DataPath::start(DataPath::kProgram, {vip});
//   loop.watch((*path)->events_fd(), [&] { for (auto& event : (*path)->take_events()) ...; });
//   (*path)->post(DataPath::Prepare{...});
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "host/os/unique_fd.hpp"
#include "protocols/pptp/model/resumed_call.hpp"
#include "protocols/pptp/work.hpp"

namespace vpnha::adapters {

class PathBroker;
class PathMailbox;

class DataPath {
  public:
    struct Prepare {
        node::PrepareCall call;
        std::optional<pptp::StartKeys> keys;  // Opened; with MPPE.
        // The gateway's: routes to the client and behind it. 0: neither these nor IPv6.
        std::uint32_t route_table = 0;
    };
    // The gate lets the end of this connection pass.
    struct MayEnd {
        pptp::CallKey key;
    };
    using Command = std::variant<Prepare, node::SetCallNumbers, node::RemoveCall, node::EndCall,
                                 node::DismissCall, node::ResumeCalls, node::ReleaseCalls,
                                 node::PauseCalls, node::ReadCalls, MayEnd>;

    struct MeantEnd {
        pptp::CallKey key;
    };
    struct NumbersRead {
        std::uint64_t ticket = 0;
        std::vector<pptp::CallState> calls;
    };
    struct Event {
        GatewayId gateway;
        std::variant<node::CallPrepared, node::CallResumed, node::CallEnded, NumbersRead, MeantEnd>
            what;
    };

    // The installed program.
    static const char* const kProgram;

    // Starts it for all gateways that serve PPTP, in the network namespace of the calling thread.
    // The program ends with that thread. Waits for the program, ten seconds at most. Error: the
    // program does not start, or there is no thread or no socket.
    [[nodiscard]] static Result<std::unique_ptr<DataPath>> start(
        const std::string& program, const std::vector<Ipv4Address>& vips);
    // Silently: sockets are closed without a packet, devices deleted.
    ~DataPath();
    DataPath(const DataPath&) = delete;
    DataPath& operator=(const DataPath&) = delete;

    // Never waits for the data path.
    void post(Command command);
    // Readable when there are events.
    [[nodiscard]] int events_fd() const;
    [[nodiscard]] std::vector<Event> take_events();
    // Why there is no data path any more.
    [[nodiscard]] std::optional<Error> failure() const;
    // Of all calls so far; a second old at most.
    [[nodiscard]] pptp::CallCounters counters() const;
    [[nodiscard]] pid_t program() const;

  private:
    DataPath(std::unique_ptr<PathMailbox> mailbox, std::unique_ptr<PathBroker> broker);

    std::unique_ptr<PathMailbox> mailbox_;  // Between the two threads.
    std::unique_ptr<PathBroker> broker_;    // Used by the thread.
    pid_t program_;
    std::thread thread_;
};

}  // namespace vpnha::adapters
