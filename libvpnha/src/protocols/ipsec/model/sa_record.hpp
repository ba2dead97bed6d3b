// SPDX-License-Identifier: GPL-2.0-or-later
// IKE and CHILD SAs, and the sequence numbers of ESP, as records of a gateway's replica.
//
// charon derives a CHILD SA's keys from those of the IKE SA under which it was made, its maker. The
// child continues under the heir of its maker, the SA that replaced it. So a maker's record stays
// while one of its children lives. So does each IKE SA between the maker and the child's owner.
//
// A record holds charon's messages about the SA, with their secrets sealed: longer data in the same
// format. inherit() adds what charon does not report. The coding is canonical.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::ipsec {

// Octets in front of the two addresses of a selector.
inline constexpr std::size_t kSelectorHead = 7;

struct IkeSa {
    IkeId id;
    // The place of its establishment among all SAs of the gateway: SAs are replayed in this order.
    std::uint64_t order = 0;
    // The establishment of the first in the row of SAs that it replaced; 0: not known.
    std::uint64_t established_unix_ms = 0;
    Bytes add;  // Its IKE_ADD.
    // For an SA with several key exchanges (RFC 9370): one more IKE_ADD for each IKE_INTERMEDIATE,
    // in order. The keys of each one derive from those of the one before.
    std::vector<Bytes> further;
    std::vector<Bytes> updates;       // Its IKE_UPDATEs; a repeated one replaces the first.
    std::uint32_t mid_initiator = 0;  // Expected next; 0: none was reported.
    std::uint32_t mid_responder = 0;
    Bytes iv;                    // IKEv1: of its next message.
    bool dead = false;           // Kept for what it made; it has an heir.
    std::optional<IkeKey> heir;  // The SA that has its children.
    // Its last CHILD SA was deleted, but it was kept: an idle client will request another one.
    bool childless = false;
    friend bool operator==(const IkeSa&, const IkeSa&) = default;
};

struct ChildSa {
    std::uint32_t spi = 0;  // Inbound; it identifies a CHILD SA.
    std::uint32_t spi_out = 0;
    IkeKey made;
    IkeKey owner;
    std::uint64_t order = 0;
    Bytes add;  // Its CHILD_ADD.
    // For L2TP, if charon marks what it decrypts: the private port of its peer in the gateway. No
    // other IKE SA's children have it; several clients may share one address and port. 0: none.
    std::uint16_t port = 0;
    friend bool operator==(const ChildSa&, const ChildSa&) = default;
};

// The state of the two ESP SAs of a child when its kernel was last read.
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

// The only UDP port of this end that it permits. nullopt: it permits others, too.
[[nodiscard]] std::optional<std::uint16_t> own_port_of(const ChildSa& child);
// Its peer's port of L2TP. A peer that reserves itself any port counts as using L2TP's.
[[nodiscard]] std::uint16_t peer_port_of(const ChildSa& child);
// The single addresses among the selectors of its peer's end.
[[nodiscard]] std::vector<IpAddress> peer_hosts_of(const ChildSa& child);

// Identities of the records.
[[nodiscard]] Bytes encode_key(const IkeKey& key);
[[nodiscard]] Bytes encode_spi(std::uint32_t spi);
[[nodiscard]] Result<IkeKey> parse_ike_key(ByteView id);
[[nodiscard]] Result<std::uint32_t> parse_spi(ByteView id);

[[nodiscard]] Bytes encode_record(const IkeSa& sa);
[[nodiscard]] Bytes encode_record(const ChildSa& child);
[[nodiscard]] Bytes encode_record(const EspCounters& counters);
// A parsed record matches its id, and its messages can be read.
[[nodiscard]] Result<IkeSa> parse_ike_sa(ByteView id, ByteView payload);
[[nodiscard]] Result<ChildSa> parse_child_sa(ByteView id, ByteView payload);
[[nodiscard]] Result<EspCounters> parse_esp_counters(ByteView id, ByteView payload);

// A charon of that version (protocols/ipsec/model/ha_message.hpp) can be fed the SA. A rekey
// without several key exchanges is complete by itself, whatever the SA before had.
[[nodiscard]] bool is_known_to(const IkeSa& sa, std::uint8_t charon_version);
[[nodiscard]] bool is_known_to(const ChildSa& child, std::uint8_t charon_version);
// A passive charon can set it up: the connection is known.
[[nodiscard]] bool is_established(const IkeSa& sa);
// Replaces the message with the same attributes, if there is one, and is placed last.
void add_update(IkeSa& sa, ByteView update);
// The heir takes over state that charon moves to it and does not report.
// charon 5.9.8 moves this in inherit_pre() and inherit_post() of sa/ike_sa.c
// when an SA of IKEv2 is rekeyed. When a client of IKEv1 authenticates
// itself again, execute() of processing/jobs/adopt_children_job.c moves it:
//
//   state                                    | how it gets into the heir's record
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

// The SA's peer and hosts, from the IKE_UPDATEs.
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
// IKEv1: charon considers an older SA with the same peer replaced, and adopts its children. Such
// SAs have equal keys; the key is empty for IKEv2.
[[nodiscard]] Bytes adoption_key(const IkeSa& sa);

}  // namespace vpnha::ipsec
