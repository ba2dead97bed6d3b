// SPDX-License-Identifier: GPL-2.0-or-later
// A flow as a record of a gateway's replica: identity and payload in as few octets as possible,
// because there are hundreds of thousands. A NATed TCP flow of IPv4 has 14 of identity and 13 of
// payload. The payload does not repeat the identity. docs/reference/wire-format.md has the bytes.
//
// The coding is canonical: a parsed record is coded with the very same octets, so two nodes agree
// on the digest of a record.
#pragma once

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/octets.hpp"
#include "services/flows/model/flow.hpp"
#include "vpnha/result.hpp"

namespace vpnha::conntrack {

// Flags, protocol, zone, two addresses, two parts.
inline constexpr std::size_t kFlowIdBytesMax = 1 + 1 + 2 + 32 + 4;
static_assert(kFlowIdBytesMax <= limits::kRecordIdBytesMax);
// Head, status, timeout, TCP, reply, mark, labels, helper, adjustments, parent.
inline constexpr std::size_t kFlowPayloadBytesMax = 2 + 1 + 5 + 3 + 36 + 4 + 16 +
                                                    (1 + limits::kHelperNameBytesMax) +
                                                    std::size_t{2} * 12 + kFlowIdBytesMax;
static_assert(kFlowPayloadBytesMax <= limits::kRecordPayloadBytesMax);

using FlowId = Octets<kFlowIdBytesMax>;
using FlowPayload = Octets<kFlowPayloadBytesMax>;

[[nodiscard]] FlowId encode_key(const FlowKey& key);
[[nodiscard]] Result<FlowKey> parse_key(ByteView id);

// Fields that are not part of a record (other status bits, other TCP flags) are left out. The flow
// must be valid.
[[nodiscard]] FlowPayload encode_payload(const Flow& flow);
// A flow that parses is valid.
[[nodiscard]] Result<Flow> parse_flow(ByteView id, ByteView payload);

// For a flow from another source (the kernel): one family, a zone scope that fits, window scales up
// to 14, a TCP state that exists. A helper's name is valid, and a timeout is at most
// limits::kFlowTimeoutMax.
[[nodiscard]] Result<void> validate(const Flow& flow);
[[nodiscard]] Result<void> validate(const FlowKey& key);

// As NUL-terminated text of the kernel: letters, digits, "-", "_", ".".
[[nodiscard]] bool is_kernel_name(std::string_view name, std::size_t bytes_max);

}  // namespace vpnha::conntrack
