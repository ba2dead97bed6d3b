// SPDX-License-Identifier: GPL-2.0-or-later
// The record of an address that a gateway has assigned to a client. It exists as long as nobody
// else may have the address: while the session lives, and for a while after it.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"
#include "cluster/wire/record_key.hpp"

namespace vpnha::keepers {

struct AddressRecord {
    Ipv4Address address;
    std::string user;   // The present or last user; may be empty.
    bool held = false;  // No session has it any more, and only its last user may have it yet.
    // The record of the session that has it; nullopt: there is none, or none yet.
    std::optional<wire::RecordKey> session;
    friend bool operator==(const AddressRecord&, const AddressRecord&) = default;
};

[[nodiscard]] wire::RecordKey record_key_of(Ipv4Address address);
// Without the address, which is the key.
[[nodiscard]] Bytes encode_address(const AddressRecord& record);
[[nodiscard]] Result<AddressRecord> parse_address(const wire::RecordKey& key, ByteView payload);

}  // namespace vpnha::keepers
