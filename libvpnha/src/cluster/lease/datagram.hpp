// SPDX-License-Identifier: GPL-2.0-or-later
// Lease messages as datagrams between the vpnhads of a cluster. Authenticated, not encrypted:
// nothing in them is secret. Big-endian:
//
//   magic "VPNL" (4)  version (1)  gateway (1)
//   node (4)  boot id (16)  instance (8)  sequence (8)    the sender; replay_guard.hpp
//   type (1)  body
//   HMAC-SHA-512-256 of all before it (32)
//
//   type 1 Hello        flags (1: challenge 1, repeated 2) [, challenge (8)]
//                       [, instance (8) that gave it, challenge repeated (8)]
//   type 2 Round        round id, t (8), L (8), flags (1: held 1, next list 2, released 4, ordered
//                       8), list [, list] [, epoch released], checkpoint [, time in vain (8) of a
//                       claim], marks
//   type 3 Answer       round id, knowledge (1), if heard: epoch, k (8), t + L (8), held (1),
//                       checkpoint; epoch granted elsewhere; flags (1: handover 1, cannot save 2)
//                       [, epoch, time until (8), checkpoint], marks
//   type 4 Refusal      round id, reason (1), epoch granted, flags (1: next list 2), list [, list],
//                       marks
//   type 5 Release      epoch, flags (1: served 1, by order 2)
//   type 6 MarkRequest  node (4), boot id (16)
//   type 7 MarkAnswer   node (4), boot id (16), flags (1: run out 1, next list 2), list [, list],
//                       marks
//   type 8 Recall       -
//   type 9 Memory       instance (8) that asked, epoch granted, flags (1: next list 2), list
//                       [, list], marks
//   type 10 Question    round id, flags (1: next list 2), list [, list], position: epoch, sequence
//                       (8); marks
//   type 11 Opinion     round id, verdict (1), epoch granted, flags (1: answered 1, next list 2)
//                       [, time since (8)], list [, list], marks
//
//   Between a node and a witness the format is the same, under a key for that witness.
//
//   epoch: number (8), node (4).  round id: epoch, instance (8), k (8).
//   list: epoch, change (4), count (1), nodes (4 each).  checkpoint: epoch, sequence (8), time (8).
//   marks: count (1), node (4) and boot id (16) of each.
//   Times are nanoseconds of the CLOCK_BOOTTIME of the node they are about.
#pragma once

#include <array>
#include <string_view>

#include "base/secret_octets.hpp"
#include "cluster/lease/messages.hpp"
#include "vpnha/result.hpp"

namespace vpnha::lease {

class LeaseKey {
  public:
    // From the cluster's key, however long that is.
    explicit LeaseKey(std::string_view cluster_key);
    // The key of a witness of that name, 255 octets at most. It does not reveal the cluster's key,
    // the nodes' own, or another witness's. A new name is a new key.
    [[nodiscard]] static LeaseKey of_witness(std::string_view cluster_key, std::string_view name);
    // The octets that a witness was given.
    explicit LeaseKey(const SecretOctets<32>& octets) : octets_(octets) {}
    LeaseKey(const LeaseKey&) = delete;
    LeaseKey& operator=(const LeaseKey&) = delete;

    using Octets = SecretOctets<32>;
    [[nodiscard]] const Octets& octets() const { return octets_; }

  private:
    Octets octets_;
};

struct Datagram {
    GatewayId gateway;
    Sender sender;
    std::uint64_t sequence = 0;  // Grows with each datagram of an instance.
    Message message;
    friend bool operator==(const Datagram&, const Datagram&) = default;
};

[[nodiscard]] Bytes encode(const Datagram& datagram, const LeaseKey& key);
// Permission: not authentic. Unsupported: another version. Malformed: a length, list or value out
// of its bounds, an epoch that is not the sender's where it must be, bytes left over.
[[nodiscard]] Result<Datagram> parse_datagram(ByteView bytes, const LeaseKey& key);

}  // namespace vpnha::lease
