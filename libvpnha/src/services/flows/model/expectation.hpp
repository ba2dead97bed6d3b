// SPDX-License-Identifier: GPL-2.0-or-later
// A connection that a helper expects, because another one announced it: FTP's data connection,
// SIP's media and the calls for a registered telephone. As a record of a gateway's replica it has
// an identity like a flow's (services/flows/model/flow_record.hpp): the kernel never has two with
// one tuple in one zone, because they would clash.
//
// A kernel's expectation in another kernel (net/netfilter/nf_conntrack_netlink.c, 6.1):
//
//   tuple, mask, parent, NAT, function, permanent, inactive   as they are
//   timeout                  with a separate request: a new one gets its class's
//   class                    only with the helper's name, otherwise it is 0
//   helper                   the kernel names the parent's; named in a request it becomes that of
//                            the connection that comes, which is right for SIP's calls only
//   userspace                never
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "services/flows/model/flow.hpp"
#include "vpnha/result.hpp"

namespace vpnha::conntrack {

// NF_CT_EXPECT_*.
inline constexpr std::uint8_t kExpectPermanent = 0x01;  // It stays when the connection has come.
inline constexpr std::uint8_t kExpectInactive = 0x02;   // A registration, not yet answered.
inline constexpr std::uint8_t kExpectFlags = kExpectPermanent | kExpectInactive;

struct Expectation {
    // How NAT changes the connection that comes; 0 where it changes nothing.
    struct Nat {
        bool reply = false;  // CTA_EXPECT_NAT_DIR
        IpAddress address;
        std::uint16_t part = 0;
        friend bool operator==(const Nat&, const Nat&) = default;
    };

    // In its parent's zone. An end that may be any is 0.
    FlowKey key;
    // The required source; the kernel's helpers have no other masks.
    bool from_address = false;
    bool from_part = false;
    FlowKey parent;
    std::uint8_t flags = 0;
    std::uint8_t policy_class = 0;
    std::uint32_t timeout_s = 0;
    std::string helper;    // Of the parent; empty: not named.
    std::string function;  // At most limits::kExpectFunctionBytesMax; empty: none.
    std::optional<Nat> nat;
    friend bool operator==(const Expectation&, const Expectation&) = default;
};

struct ExpectationNews {
    enum class Kind : std::uint8_t {
        made,
        ended,  // The connection has come, or none has in time.
    };
    Kind kind = Kind::made;
    // The kernel does not report its zone: that of the key and of the parent is the default one.
    Expectation expectation;
};

// The identity is encode_key(expectation.key). The expectation must be valid.
[[nodiscard]] Bytes encode_payload(const Expectation& expectation);
// An expectation that parses is valid.
[[nodiscard]] Result<Expectation> parse_expectation(ByteView id, ByteView payload);

// One family and one zone, which counts in the original direction; limits; no source where any is
// permitted.
[[nodiscard]] Result<void> validate(const Expectation& expectation);

// Whether the helper is named to a kernel that makes the expectation. SIP's needs one: the class of
// media is accepted with it only, and a call's signalling continues with it. With FTP's, the
// content of a data connection would be parsed as commands, and changed.
[[nodiscard]] bool names_helper(const Expectation& expectation);

}  // namespace vpnha::conntrack
