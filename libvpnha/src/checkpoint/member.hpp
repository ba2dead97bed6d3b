// SPDX-License-Identifier: GPL-2.0-or-later
// One member of a group of programs that are not ours (vpnha/checkpoint.hpp): the replica of its
// records, its hellos, and whether it may be promoted. Pure.
//
//   state \ event | promote()      | stand_by()  | a newer claim | members, messages
//   --------------+----------------+-------------+---------------+---------------------------
//   standby       | promoted (1)   | -           | follows it    | the replica's
//   promoted      | -              | standby (2) | standby (2)   | the replica's; confirmed (3)
//
//   (1) with the quorum, when every member has introduced itself since it came, and none is
//   complete in a later epoch, or complete while this one is not. (2) all records are installed
//   anew: the program has handled them as its own meanwhile. (3) of messages of this epoch,
//   once a standby's confirmation covers them.
//
// There is no lease: the epoch is one above the highest that any member knows. The caller must
// guarantee who may be promoted. An epoch lives as long as a member does.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include "cluster/replica/replica.hpp"
#include "cluster/wire/codec.hpp"
#include "vpnha/checkpoint.hpp"

namespace vpnha::checkpoint {

struct SendToGroup {
    Bytes message;
};
// Notifies the program, which answers with Member::on_installed().
using replica::Install;
using replica::Remove;
// Notifies the program: a standby has it.
struct Confirmed {
    wire::RecordKey key;
};
using Effect = std::variant<SendToGroup, Install, Remove, Confirmed>;
using Effects = std::vector<Effect>;

class Member {
  public:
    explicit Member(NodeId self);

    // The group.
    void on_members(const std::set<NodeId>& members, bool quorate, TimePoint now, Effects& effects);
    void on_message(NodeId sender, ByteView bytes, TimePoint now, Effects& effects);
    // While the group accepts no messages nothing is sent.
    void set_writable(bool writable, TimePoint now, Effects& effects);
    // While it is true no record leaves this node, because the group sends unencrypted.
    void withhold_records(bool withheld, TimePoint now, Effects& effects);

    // The program.
    [[nodiscard]] Result<void> promote(TimePoint now, Effects& effects);
    void stand_by(TimePoint now, Effects& effects);
    [[nodiscard]] Result<void> publish(std::string_view id, std::string_view payload, TimePoint now,
                                       Effects& effects);
    [[nodiscard]] Result<void> withdraw(std::string_view id, TimePoint now, Effects& effects);
    void on_installed(const Install& install, bool taken, TimePoint now, Effects& effects);

    void on_time(TimePoint now, Effects& effects);
    // None while the group accepts no messages.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    // Without the encryption, which this object does not know.
    [[nodiscard]] CheckpointState state() const;
    [[nodiscard]] bool is_confirmed(std::string_view id) const;
    // Changes whose confirmation is still to be reported to the program, void ones among them.
    [[nodiscard]] std::size_t awaited() const { return awaited_.size(); }

  private:
    [[nodiscard]] Result<wire::RecordKey> own_key(std::string_view id) const;
    // The sender of a confirmation has received the change in the agreed order. So this member was
    // cut off then, and no holder with a digest of it may be left.
    [[nodiscard]] bool is_missing(const wire::Confirm& confirm) const;
    [[nodiscard]] Result<void> may_be_promoted() const;
    [[nodiscard]] std::uint8_t version() const;
    void take(replica::Effects wanted, TimePoint now, Effects& effects);
    // Ends every event: does what is due, and sends a hello if its content has changed.
    void settle(TimePoint now, Effects& effects);
    void send(const wire::Message& message, Effects& effects);
    void await_confirmation(const wire::Update& update);
    // For messages up to `sequence`.
    void report_confirmed(std::uint64_t sequence, Effects& effects);

    NodeId self_;
    wire::Dialects dialects_;
    replica::Replica replica_;
    std::set<NodeId> members_;
    // The others that have introduced themselves, with the highest wire version that both know.
    // nullopt: there is none, so that neither takes part for the other.
    std::map<NodeId, std::optional<std::uint8_t>> peers_;
    std::optional<wire::Hello> last_hello_;
    bool writable_ = true;
    // Promoted: what was sent in this epoch and is not confirmed, by its sequence.
    std::map<std::uint64_t, wire::RecordKey> awaited_;
};

}  // namespace vpnha::checkpoint
