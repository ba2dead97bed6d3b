// SPDX-License-Identifier: GPL-2.0-or-later
// The data path of PPTP calls that this node took over, or may take over: a program of its own,
// carry-calls, with a pptp::ResumedCall for each call, a TUN device in place of its ppp unit, and
// one raw GRE socket for each VIP. It has no privileges (host/helper/sandbox.hpp): a thread of
// vpnhad gives it its descriptors (path_broker.hpp). The loop posts commands and takes events;
// nobody waits for the other, so a hanging data path delays no lease.
//
//   command           | answer
//   ------------------+--------------------------------------------------------------------------
//   Prepare           | CallPrepared with the ticket. In place of what was prepared before
//   SetCallNumbers    | –
//   RemoveCall        | –. Its socket is closed without a word, its device deleted
//   EndCall           | MeantEnd and CallEnded, when it may speak
//   DismissCall       | –
//   ResumeCalls       | for each call CallResumed or, with nobody there, MeantEnd and CallEnded
//   ReleaseCalls      | –. What is to go out has waited at the device
//   PauseCalls        | –. All calls of the gateway; ResumeCalls{exact} goes on
//   ReadCalls         | NumbersRead with the ticket: all live calls, none left out
//   MayEnd            | CallEnded, when the FIN has been sent
//
// Unasked come NumbersRead{ticket 0} each 100 ms, and after 512 packets of a call, of those whose
// numbers have changed; and MeantEnd of a call that is over: its FIN waits until MayEnd, a second
// at most, so that the loop can tell the gate to let it pass.
//
// The GRE sockets are open from the start to the end, on standbys too: a node without one answers a
// client with an ICMP error, which ends its call. RST and FIN of connections that were not meant to
// end are dropped by the gate, not here.
//
// Where the program dies or breaks its rules, failure() has the reason once events_fd() is
// readable, and nothing comes any more: its calls are for another node.
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
        // Of the gateway: the routes to the client and behind it. 0: neither these nor IPv6.
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

    // As it is installed.
    static const char* const kProgram;

    // Of all gateways that serve PPTP. In the network namespace of the calling thread, with whose
    // end the program ends. Waits for the program, ten seconds at most. Error: the program does not
    // start, or there is no thread or no socket to be had.
    [[nodiscard]] static Result<std::unique_ptr<DataPath>> start(
        const std::string& program, const std::vector<Ipv4Address>& vips);
    // Without a word: sockets are closed silently, devices deleted.
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
    std::unique_ptr<PathBroker> broker_;    // The thread's.
    pid_t program_;
    std::thread thread_;
};

}  // namespace vpnha::adapters
