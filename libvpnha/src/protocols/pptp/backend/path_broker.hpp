// SPDX-License-Identifier: GPL-2.0-or-later
// vpnhad's side of the data path: a thread with the privileges that carry-calls does not have. It
// sends that program its orders and descriptors, and checks its reports. A program that reports
// something impossible, is silent for ten seconds, or dies has failed, and receives no more
// requests.
//
// The program's descriptors are open here, too. So its death sends no peer a FIN, and removes no
// device. Work at the end of a call that needs CAP_NET_ADMIN is done here.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/helper/helper_process.hpp"
#include "host/helper/message_socket.hpp"
#include "protocols/pptp/backend/path_mailbox.hpp"
#include "protocols/pptp/backend/path_message.hpp"
#include "protocols/pptp/backend/probe_socket.hpp"
#include "protocols/pptp/backend/tun_device.hpp"
#include "protocols/pptp/work.hpp"

namespace vpnha::adapters {

class PathBroker {
  public:
    // Starts the program in its sandbox, in the network namespace of the calling thread. The
    // program ends with that thread. The mailbox must outlive this object.
    [[nodiscard]] static Result<std::unique_ptr<PathBroker>> create(
        const std::string& program, const std::vector<Ipv4Address>& vips, PathMailbox& mailbox);
    // Connections are closed without a FIN, devices deleted, the program is ended.
    ~PathBroker();
    PathBroker(const PathBroker&) = delete;
    PathBroker& operator=(const PathBroker&) = delete;

    [[nodiscard]] pid_t program() const { return process_.pid(); }
    // Runs until the mailbox is stopped, or the program has failed.
    void run();

  private:
    struct VipSockets {
        UniqueFd gre;
        ProbeSocket probe;
    };
    // A call whose end the program has not reported.
    struct Entry {
        GatewayId gateway;
        pptp::CallKey key;
        pptp::TcpOptions options;
        TunDevices::Settings settings;
        std::optional<TunDevice> device;         // None: another call has it.
        UniqueFd control;                        // Of its control connection.
        std::optional<std::uint64_t> preparing;  // The ticket.
        bool is_removed = false;                 // The loop expects no more events of it.
    };
    struct Reading {
        std::uint64_t ticket = 0;
        std::vector<pptp::CallState> calls;
    };

    PathBroker(TunDevices devices, HelperProcess process, UniqueFd socket, PathMailbox& mailbox)
        : devices_(std::move(devices)),
          process_(std::move(process)),
          socket_(std::move(socket), MessageSocket::Descriptors::refused),
          mailbox_(&mailbox) {}

    [[nodiscard]] Result<void> open(const std::vector<Ipv4Address>& vips);
    [[nodiscard]] Result<void> wait_ready();
    [[nodiscard]] Result<void> turn();
    [[nodiscard]] Result<void> look_after(TimePoint now);
    [[nodiscard]] Result<void> order(const PathOrder& order, std::span<const int> with = {});

    [[nodiscard]] Result<void> do_commands();
    [[nodiscard]] Result<void> take(const DataPath::Prepare& command);
    [[nodiscard]] Result<void> take(const node::SetCallNumbers& command);
    [[nodiscard]] Result<void> take(const node::RemoveCall& command);
    [[nodiscard]] Result<void> take(const node::EndCall& command);
    [[nodiscard]] Result<void> take(const node::DismissCall& command);
    [[nodiscard]] Result<void> take(const node::ResumeCalls& command);
    [[nodiscard]] Result<void> take(const node::ReleaseCalls& command);
    [[nodiscard]] Result<void> take(const node::PauseCalls& command);
    [[nodiscard]] Result<void> take(const node::ReadCalls& command);
    [[nodiscard]] Result<void> take(const DataPath::MayEnd& command);
    [[nodiscard]] Result<TunDevice> device_for(const DataPath::Prepare& command,
                                               const TunDevices::Settings& settings);
    [[nodiscard]] Result<void> remove(PathCallNumber number);
    [[nodiscard]] std::optional<PathCallNumber> find(const pptp::CallKey& key) const;

    [[nodiscard]] Result<void> on_report(ByteView message);
    [[nodiscard]] Result<void> handle(const PathReady& report);
    [[nodiscard]] Result<void> handle(const CallIsPrepared& report);
    [[nodiscard]] Result<void> handle(const CallIsResumed& report);
    [[nodiscard]] Result<void> handle(const CallMeansToEnd& report);
    [[nodiscard]] Result<void> handle(const CallHasEnded& report);
    [[nodiscard]] Result<void> handle(const CallIsGone& report);
    [[nodiscard]] Result<void> handle(const CallWantsConnection& report);
    [[nodiscard]] Result<void> handle(const CallLeavesConnection& report);
    [[nodiscard]] Result<void> handle(const PathNumbersRead& report);
    [[nodiscard]] Result<void> handle(const PathCounters& report);
    // Error: there is no such call.
    [[nodiscard]] Result<Entry*> entry_of(PathCallNumber number);
    void forget(PathCallNumber number);
    void notify(GatewayId gateway, decltype(DataPath::Event::what) what);

    TunDevices devices_;
    HelperProcess process_;
    MessageSocket socket_;
    PathMailbox* mailbox_;
    std::map<Ipv4Address, VipSockets> vips_;
    std::deque<DataPath::Command> commands_;  // Not done yet.
    std::unordered_map<PathCallNumber, Entry> calls_;
    std::map<pptp::CallKey, PathCallNumber> numbers_;  // Of calls that are not removed.
    std::map<GatewayId, Reading> reading_;
    PathCallNumber last_ = 0;
    std::vector<DataPath::Event> events_;
    bool is_ready_ = false;
    TimePoint count_at_{};
    int unanswered_ = 0;  // PathCount, one after the other.
};

}  // namespace vpnha::adapters
