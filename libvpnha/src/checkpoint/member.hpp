// SPDX-License-Identifier: GPL-2.0-or-later
// One member of a group of programs that are not ours (vpnha/checkpoint.hpp): the replica of its
// records, its hellos, and who may be promoted. Pure.
//
//   state \ event | promote()      | stand_by()  | a newer claim | members, messages
//   --------------+----------------+-------------+---------------+---------------------------
//   standby       | promoted (1)   | -           | follows it    | the replica's
//   promoted      | -              | standby (2) | standby (2)   | the replica's; confirmed (3)
//
//   (1) with the quorum, when every member has introduced itself since it came, and none is
//   complete in a later epoch, or complete where this one is not. (2) all records are installed
//   anew: the program has dealt with them as its own meanwhile. (3) of what was said in this epoch,
//   once a standby's confirmation covers it.
//
// There is no lease: the epoch is one above the highest that any member knows, and who may be
// promoted at all is the caller's to guarantee. An epoch lives as long as a member does.
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
// Tell the program; → Member::on_installed() with what came of it.
using replica::Install;
using replica::Remove;
// Tell the program: a standby has it.
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
    // While the group takes no messages nothing is said.
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
    // None while the group takes no messages.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    // But for the encryption, of which this object knows nothing.
    [[nodiscard]] CheckpointState state() const;
    [[nodiscard]] bool is_confirmed(std::string_view id) const;
    // Changes whose confirmation the program is yet to be told; void ones are among them.
    [[nodiscard]] std::size_t awaited() const { return awaited_.size(); }

  private:
    [[nodiscard]] Result<wire::RecordKey> own_key(std::string_view id) const;
    // Who confirms has heard it in the order in which all hear it: this member was cut off then,
    // and there may be no holder any more whose digest would say so.
    [[nodiscard]] bool is_missing(const wire::Confirm& confirm) const;
    [[nodiscard]] Result<void> may_be_promoted() const;
    [[nodiscard]] std::uint8_t version() const;
    void take(replica::Effects wanted, TimePoint now, Effects& effects);
    // Ends every event: what is due, and a hello when what it says has changed.
    void settle(TimePoint now, Effects& effects);
    void send(const wire::Message& message, Effects& effects);
    void await_confirmation(const wire::Update& update);
    // Of what was said up to `sequence`.
    void tell_confirmed(std::uint64_t sequence, Effects& effects);

    NodeId self_;
    wire::Dialects dialects_;
    replica::Replica replica_;
    std::set<NodeId> members_;
    // The others that have introduced themselves, with the highest wire version that both know;
    // nullopt: there is none, so that neither takes part for the other.
    std::map<NodeId, std::optional<std::uint8_t>> peers_;
    std::optional<wire::Hello> last_hello_;
    bool writable_ = true;
    // Promoted: what was said in this epoch, and is not confirmed, by its sequence.
    std::map<std::uint64_t, wire::RecordKey> awaited_;
};

}  // namespace vpnha::checkpoint
