// SPDX-License-Identifier: GPL-2.0-or-later
// The SAs that a passive charon has from its feeds, and those of the records that it has not.
//
// A passive charon is fed whole SAs: the IKE SAs in the order of their establishment, each followed
// by the live children that it made. When charon receives an IKE SA that replaces another one, the
// children of the old one pass to it, and the old one ends. IKEv2 does so at the IKE_ADD, IKEv1 at
// the IKE_UPDATE, in a separate job. So a dead maker is made anew and makes its children, and its
// replacement receives them.
//
// A family is handled as a whole. The image predicts charon's SAs after a feed of the missing ones
// alone. If the result equals the records fed to an empty charon, the missing ones are fed.
// Otherwise the family is rebuilt: all its IKE SAs are deleted, and it is fed from the start. An
// IKE SA is never fed while charon has it: two copies would exist, and only one would be deleted.
//
// When an SA ends without an heir in charon, charon releases the addresses of its client. It does
// so even if another SA of that client has them by now. That other SA is fed its addresses again,
// which reserves them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "protocols/ipsec/model/sa_set.hpp"

namespace vpnha::ipsec {

// Some SAs of a passive charon.
struct PassiveSas {
    struct Ike {
        IkeId id;
        Bytes add;
        std::vector<Bytes> further;
        std::vector<Bytes> updates;
        std::uint32_t mid_initiator = 0;
        std::uint32_t mid_responder = 0;
        Bytes iv;
        friend bool operator==(const Ike&, const Ike&) = default;
    };
    struct Child {
        Bytes add;
        IkeKey made;
        IkeKey owner;
        // The peer's address when the child was made: its ESP SAs keep it.
        Bytes path;
        friend bool operator==(const Child&, const Child&) = default;
    };
    std::map<IkeKey, Ike> ikes;
    std::map<std::uint32_t, Child> children;
    friend bool operator==(const PassiveSas&, const PassiveSas&) = default;
};

struct Feed {
    Family family;
    std::vector<Bytes> messages;
    bool rebuilt = false;
};

class CharonImage {
  public:
    // What is missing of the family of that SA; it counts as fed from now on.
    [[nodiscard]] Feed feed(const IkeKey& member, const SaSet& records);
    // The result of a feed of these is not known: the family is rebuilt at its next feed.
    void suspect(const IkeKey& member);
    // The same for an SA that charon made or changed and that no record shows. An SA without a
    // record is deleted before any feed: it may hold what belonged to others.
    void suspect_unrecorded(const IkeId& emitted);

    // The version of charon's messages (protocols/ipsec/model/ha_message.hpp), before the first
    // feed. SAs that this version does not support are left out, with all that was made under them.
    void set_version(std::uint8_t version) { version_ = version; }
    // charon is empty.
    void clear();
    // charon may have any of the SAs: an IKE_DELETE precedes the first IKE_ADD of each.
    void forget();
    // charon served until now: it has what it reported.
    void assume(const SaSet& records);

    // charon can be fed the SA; in case of a child, its maker as well.
    [[nodiscard]] bool takes(const IkeSa& sa) const { return is_known_to(sa, version_); }
    [[nodiscard]] bool takes(const ChildSa& child, const SaSet& records) const;

    [[nodiscard]] bool has(const IkeKey& key) const { return sas_.ikes.contains(key); }
    [[nodiscard]] bool has_child(std::uint32_t spi) const { return sas_.children.contains(spi); }
    [[nodiscard]] const PassiveSas& sas() const { return sas_; }

  private:
    [[nodiscard]] Family family_of(const IkeKey& member, const SaSet& records) const;
    // Removes them from the image and returns them.
    [[nodiscard]] PassiveSas take(const Family& family);
    void add(PassiveSas sas);

    PassiveSas sas_;
    std::set<std::pair<IkeKey, std::uint32_t>> offspring_;  // By maker and by owner.
    std::set<std::pair<Bytes, IkeKey>> clients_;            // By client_keys() of each.
    std::uint8_t version_ = kHaVersion;
    bool populated_ = true;       // Unless charon is known to have nothing else.
    std::set<IkeKey> suspected_;  // charon may have these.
    std::vector<IkeId> unreceived_;
};

}  // namespace vpnha::ipsec
