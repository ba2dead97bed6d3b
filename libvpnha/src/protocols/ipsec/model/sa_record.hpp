// SPDX-License-Identifier: GPL-2.0-or-later
// IKE and CHILD SAs, and the sequence numbers of ESP, as records of a gateway's replica.
//
// charon derives a CHILD SA's keys from those of the IKE SA under which it was made, its maker. It
// lives on under the heir of that one, which replaced it. So a maker's record stays while a child
// lives that it made, and so does every IKE SA on the way to the child's owner.
//
// What is in a record is what charon said of the SA, with its secrets sealed: longer data in the
// same format. inherit() adds what charon does not say. The coding is canonical.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::ipsec {

// Octets of a selector, in front of its two addresses.
inline constexpr std::size_t kSelectorHead = 7;

struct IkeSa {
    IkeId id;
    // Of its establishment, among all that the gateway's holders have heard of: replayed by it.
    std::uint64_t order = 0;
    // Of the first of those that replaced each other up to this one; 0: not known.
    std::uint64_t established_unix_ms = 0;
    Bytes add;  // Its IKE_ADD.
    // Of an SA with several key exchanges (RFC 9370): one IKE_ADD more for each IKE_INTERMEDIATE,
    // in their order. From the keys of each the next one's are derived.
    std::vector<Bytes> further;
    std::vector<Bytes> updates;  // Its IKE_UPDATEs; one that says the same anew replaces the first.
    std::uint32_t mid_initiator = 0;  // Expected next; 0: none was said.
    std::uint32_t mid_responder = 0;
    Bytes iv;                    // IKEv1: of its next message.
    bool dead = false;           // Kept for what it made; it has an heir.
    std::optional<IkeKey> heir;  // Has its children.
    // Its last CHILD SA was deleted, and it was kept: an idle client that will ask for another one.
    bool childless = false;
    friend bool operator==(const IkeSa&, const IkeSa&) = default;
};

struct ChildSa {
    std::uint32_t spi = 0;  // Inbound; by it a CHILD SA is known.
    std::uint32_t spi_out = 0;
    IkeKey made;
    IkeKey owner;
    std::uint64_t order = 0;
    Bytes add;  // Its CHILD_ADD.
    // Of L2TP: by which its peer is known within a gateway whose charon marks what it decrypts. No
    // other IKE SA's children have it; several clients may have one address and one port. 0: none.
    std::uint16_t port = 0;
    friend bool operator==(const ChildSa&, const ChildSa&) = default;
};

// Of the two ESP SAs of a child, as its kernel had them last.
struct EspCounters {
    std::uint32_t spi = 0;   // The child's.
    std::uint64_t born = 0;  // The number of the epoch in which it was made.
    bool esn = false;
    std::uint32_t window = 0;
    std::uint64_t oseq = 0;  // Outbound.
    std::uint64_t seq = 0;   // Inbound.
    std::vector<std::uint32_t> bitmap;
    friend bool operator==(const EspCounters&, const EspCounters&) = default;
};

// The one UDP port of this end that passes in it. nullopt: others do as well.
[[nodiscard]] std::optional<std::uint16_t> own_port_of(const ChildSa& child);
// Its peer's own, of L2TP. One that reserves itself any is taken for one that has L2TP's.
[[nodiscard]] std::uint16_t peer_port_of(const ChildSa& child);
// Of the selectors of its peer's end, those that let a single address pass.
[[nodiscard]] std::vector<IpAddress> peer_hosts_of(const ChildSa& child);

// Identities of the records.
[[nodiscard]] Bytes encode_key(const IkeKey& key);
[[nodiscard]] Bytes encode_spi(std::uint32_t spi);
[[nodiscard]] Result<IkeKey> parse_ike_key(ByteView id);
[[nodiscard]] Result<std::uint32_t> parse_spi(ByteView id);

[[nodiscard]] Bytes encode_record(const IkeSa& sa);
[[nodiscard]] Bytes encode_record(const ChildSa& child);
[[nodiscard]] Bytes encode_record(const EspCounters& counters);
// What parses is about the SA of its id, and its messages can be read.
[[nodiscard]] Result<IkeSa> parse_ike_sa(ByteView id, ByteView payload);
[[nodiscard]] Result<ChildSa> parse_child_sa(ByteView id, ByteView payload);
[[nodiscard]] Result<EspCounters> parse_esp_counters(ByteView id, ByteView payload);

// What it has can be fed to a charon of that version (protocols/ipsec/model/ha_message.hpp). A
// rekey without several key exchanges is whole by itself, whatever the SA before had.
[[nodiscard]] bool is_known_to(const IkeSa& sa, std::uint8_t charon_version);
[[nodiscard]] bool is_known_to(const ChildSa& child, std::uint8_t charon_version);
// A passive charon has something to make of it: it knows the connection.
[[nodiscard]] bool is_established(const IkeSa& sa);
// The same SA's message replaces one with the same attributes, and is behind the others.
void add_update(IkeSa& sa, ByteView update);
// The heir takes over what charon leaves to it and does not report. charon 5.9.8 hands these over
// in inherit_pre() and inherit_post() of sa/ike_sa.c when an SA of IKEv2 is rekeyed, and in
// execute() of processing/jobs/adopt_children_job.c when a client of IKEv1 authenticates itself
// again:
//
//   what                                     | how the heir's record has it
//   -----------------------------------------+----------------------------------------------------
//   connection, addresses, identities, the   | in the heir's own IKE_UPDATE: ike_rekey() of
//   identity of EAP or XAuth, conditions,    | plugins/ha/ha_ike.c writes it after inherit_post().
//   extensions, further addresses of MOBIKE  | IKEv1 negotiates them anew
//   the client's virtual addresses           | copied here: sync_vips() of ha_ike.c reports them
//                                            | after IKE_AUTH and in TRANSACTION exchanges only
//   time of the first establishment          | copied here; charon's time of reauthentication is
//                                            | not reported, and begins anew with each takeover
//   CHILD SAs                                | their `owner` becomes the heir
//   virtual addresses of the gateway itself, | not reported at all. A gateway that answers clients
//   attributes that it was given, certifi-   | has no such addresses or attributes; a rekey needs
//   cates, queued tasks                      | neither certificates nor tasks
//
// charon moves the addresses, so only one SA may inherit from `old`.
void inherit(IkeSa& heir, const IkeSa& old);
// IKEv2: the SA that this one replaces.
[[nodiscard]] std::optional<IkeKey> predecessor_of(const IkeSa& sa);

// What the IKE_UPDATEs say of the SA.
struct IkePeer {
    Bytes local_id;
    Bytes remote_id;
    Bytes eap_id;
    Bytes local;  // Hosts, as attributes.
    Bytes remote;
    std::string connection;
    std::vector<Bytes> vips;  // The client's.
};
[[nodiscard]] IkePeer peer_of(const IkeSa& sa);
// IKEv1: charon takes an older SA with the same peer for replaced, and adopts its children. Equal
// for these, and empty for IKEv2.
[[nodiscard]] Bytes adoption_key(const IkeSa& sa);

}  // namespace vpnha::ipsec
