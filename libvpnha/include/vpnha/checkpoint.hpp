// SPDX-License-Identifier: GPL-2.0-or-later
// Replicates the records of a program of yours to all nodes of a Corosync cluster: changes in
// agreed order, snapshots for joiners, digests, confirmations. vpnhad does so for its sessions.
// docs/explain/library.md is the guide, libvpnha/examples/session_table.cpp a program.
//
// The program runs once on each node, and all of them join the same group. One of them is promoted
// at a time: it publishes and withdraws records; the others hold and confirm them. When it dies,
// another one is promoted and continues with the records that it holds.
//
// The caller guarantees that no node is promoted while a former one still serves. The library does
// not elect, fence or silence any node: Pacemaker's promoted role, or a lease, does. If two are
// promoted nevertheless, the one promoted last keeps the role. The other one receives `changed` and
// becomes a standby.
//
// Access: root, and users with a section `uidgid { uid: USER gid: GROUP }` in a file below
// /etc/corosync/uidgid.d/. Corosync needs a quorum provider, and knet with a crypto_cipher, since
// records may have secrets. Records are in the memory of this process only, not on disk; the caller
// has to keep them out of core files.
//
// Example:
//     std::map<std::string, std::string> table;
//
//     vpnha::Result<void> hold_table() {
//         vpnha::CheckpointListener listener;
//         listener.install = [](std::string_view id, std::string_view payload) {
//             table[std::string(id)] = payload;
//             return true;
//         };
//         listener.remove = [](std::string_view id) { table.erase(std::string(id)); };
//         VPNHA_TRY(vpnha::Checkpoint group,
//                   vpnha::Checkpoint::join({.group = "table"}, listener));
//         while (true) {
//             pollfd readable{group.fd(), POLLIN, 0};
//             poll(&readable, 1, -1);
//             VPNHA_CHECK(group.dispatch());
//         }
//     }
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vpnha/export.hpp"
#include "vpnha/result.hpp"

namespace vpnha {

// Octets. Ids and payloads may have any octets. A program with several kinds of records puts the
// kind into the id, and the version into the payload: nodes of two releases of it may meet.
inline constexpr std::size_t kCheckpointIdBytesMax = 40;
inline constexpr std::size_t kCheckpointPayloadBytesMax = 8192;
// Of one group: records, and octets of all payloads.
inline constexpr std::size_t kCheckpointRecordsMax = 100'000;
inline constexpr std::size_t kCheckpointBytesMax = 102'400'000;

struct CheckpointOptions {
    // 1 to 64 letters, digits, '.', '_' and '-': programs that join the same one share records.
    std::string group;
    // Join also where Corosync sends unencrypted: everybody on its networks reads the records.
    bool allow_unencrypted = false;
};

// What a member knows. Nodes are Corosync's node ids, ascending.
struct CheckpointState {
    // Of the records: all of the epoch, some, none.
    enum class Level { empty, partial, complete };
    Level level = Level::empty;
    bool promoted = false;
    // This side of the cluster has the majority. Without it nothing is confirmed, and somebody else
    // may be promoted on the other side: stop serving.
    bool quorate = false;
    bool encrypted = false;              // Corosync encrypts; it may be switched off while it runs.
    std::uint32_t holder = 0;            // The member that is promoted; 0: none, or not known yet.
    std::uint64_t epoch = 0;             // Of the records: it rises with each promotion.
    std::vector<std::uint32_t> members;  // This node is one.
    std::vector<std::uint32_t> complete_standbys;  // Members that could take over, except this one.
    friend bool operator==(const CheckpointState&, const CheckpointState&) = default;
};

// All are called from within dispatch() only, and may be left out.
// They may call every function of the Checkpoint except dispatch(),
// and must not destroy it. The views are valid until they return.
struct CheckpointListener {
    // On a member that is not promoted: the record is new, or has another payload. True: it is
    // ready here, and is confirmed to the others. False: it could not be installed now, or not be
    // read; it is not confirmed, and is offered again after 1, 2, 4 … 60 s. All records come again
    // when the member's promotion ends. Left out: every record counts as installed.
    std::function<bool(std::string_view id, std::string_view payload)> install;
    // On a member that is not promoted: the record is withdrawn.
    std::function<void(std::string_view id)> remove;
    // On the promoted one: a standby has installed what was published last of this record.
    std::function<void(std::string_view id)> confirmed;
    // A part of the state has changed.
    std::function<void(const CheckpointState& state)> changed;
};

// One membership. Not for use by two threads at once; it starts no thread.
class VPNHA_API Checkpoint {
  public:
    // Connects to this node's corosync. Blocks while its ring is forming, 5 s at most.
    // Invalid_argument: the name of the group. Unreachable: corosync does not run. Permission: this
    // user has no access to it. Invalid_config: it does not encrypt, or has no quorum provider.
    [[nodiscard]] static Result<Checkpoint> join(const CheckpointOptions& options,
                                                 CheckpointListener listener);
    // Leaves the group; what was not sent yet is lost.
    ~Checkpoint();
    Checkpoint(Checkpoint&& other) noexcept;
    Checkpoint& operator=(Checkpoint&& other) noexcept;

    // Readable when dispatch() has work, timers included. The Checkpoint owns it.
    [[nodiscard]] int fd() const;
    // Does what is due, within 10 ms plus the listener's own time, and does not block. Unreachable:
    // corosync is gone; already_exists: another process of this node is in the group. After an
    // error the Checkpoint cannot be used any more: destroy it, and join anew.
    [[nodiscard]] Result<void> dispatch();

    // From here on this member publishes. It continues with the records it holds, in a new epoch.
    // Busy, try again after dispatch(): this side has no quorum, a member has not introduced itself
    // yet or has records that are missing here, or `install` has yet to receive some.
    [[nodiscard]] Result<void> promote();
    // Ends the promotion. What was published and not sent yet is lost. To lose nothing, publish no
    // more and wait until all is confirmed.
    void stand_by();

    // Promoted only. Sends the new or changed record. If changes of a record follow each other
    // faster than the group accepts them, only the last one is sent. The octets are copied.
    // Invalid_argument: the id or the payload is too long. Limit: the group is full. Stale_epoch:
    // this member is not promoted (any more).
    [[nodiscard]] Result<void> publish(std::string_view id, std::string_view payload);
    // Promoted only; no effect for a record that does not exist. Errors as above.
    [[nodiscard]] Result<void> withdraw(std::string_view id);

    // Promoted: what was published last of it outlives this node, as far as is known now.
    [[nodiscard]] bool is_confirmed(std::string_view id) const;
    [[nodiscard]] CheckpointState state() const;

  private:
    struct State;
    explicit Checkpoint(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace vpnha
