// SPDX-License-Identifier: GPL-2.0-or-later
// What a passive charon has of what it was fed, and what it lacks of the records.
//
// A passive charon is fed whole SAs: the IKE SAs in the order of their establishment, each followed
// by the children that live of those it made. As it takes an IKE SA that replaces another one, that
// one's children pass to it, and the old one ends (IKEv2: at the IKE_ADD, IKEv1: at the
// IKE_UPDATE, in a job of its own). So a dead maker is made anew, and makes its children, and what
// replaced it takes them.
//
// A family is looked at as a whole. The image foretells what becomes of charon's SAs by what is
// merely missing. When that is what the records, fed to an empty charon, would lead to, it is fed.
// Otherwise the family is rebuilt: all its IKE SAs are deleted, and it is fed from the start. An
// IKE SA is never fed while charon has it: it would be there twice, and only one would be deleted.
//
// When an SA ends without an heir in charon, charon releases the addresses of its client, also if
// another SA of that client has them by now. That one is fed its addresses again, which reserves
// them.
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
        // Where the peer was as it was made: its ESP SAs stay there.
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
    // Of the family of that SA: what it lacks, which counts as fed from now on.
    [[nodiscard]] Feed feed(const IkeKey& member, const SaSet& records);
    // What became of what these were fed is not known: the family is rebuilt at its next feed.
    void suspect(const IkeKey& member);
    // The same of one that charon made or changed, and of which no record tells so. Where there is
    // no record of it, it is deleted before anything is fed: it may have what others had.
    void suspect_unrecorded(const IkeId& said);

    // Of the charon's messages (protocols/ipsec/model/ha_message.hpp), before it is fed anything.
    // What such a charon does not know is left out, with all that was made under it.
    void set_version(std::uint8_t version) { version_ = version; }
    // An empty charon.
    void clear();
    // One that may have any of the SAs: an IKE_DELETE goes before the first IKE_ADD of each.
    void forget();
    // charon served until now: it has what it said.
    void assume(const SaSet& records);

    // charon can be fed the SA. Of a child: and its maker.
    [[nodiscard]] bool takes(const IkeSa& sa) const { return is_known_to(sa, version_); }
    [[nodiscard]] bool takes(const ChildSa& child, const SaSet& records) const;

    [[nodiscard]] bool has(const IkeKey& key) const { return sas_.ikes.contains(key); }
    [[nodiscard]] bool has_child(std::uint32_t spi) const { return sas_.children.contains(spi); }
    [[nodiscard]] const PassiveSas& sas() const { return sas_; }

  private:
    [[nodiscard]] Family family_of(const IkeKey& member, const SaSet& records) const;
    // Takes them out of the image.
    [[nodiscard]] PassiveSas take(const Family& family);
    void add(PassiveSas sas);

    PassiveSas sas_;
    std::set<std::pair<IkeKey, std::uint32_t>> offspring_;  // By maker and by owner.
    std::set<std::pair<Bytes, IkeKey>> clients_;            // By client_keys() of each.
    std::uint8_t version_ = kHaVersion;
    bool populated_ = true;       // Unless it is known to have nothing else.
    std::set<IkeKey> suspected_;  // It may have these.
    std::vector<IkeId> unheard_;
};

}  // namespace vpnha::ipsec
