// SPDX-License-Identifier: GPL-2.0-or-later
// The traits of each type of record (VPNHA_RECORD_TYPES), as agreed between the nodes. They serve
// the parser of messages, the store, the replica and the views. See docs/reference/wire-format.md.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/limits.hpp"
#include "cluster/wire/record_key.hpp"

namespace vpnha::wire {

// The importance of a record, and how soon it is sent.
enum class Service : std::uint8_t {
    session,     // Sent at once. A node without one would not resume everything.
    checkpoint,  // Besides sessions; only the newest value counts: in batches. A counter; a
                 // client's address; that new clients are refused; an account; a request to a
                 // client.
    tracked,     // Of the kernel's connection tracking: very many, in batches. None is worth a
                 // session.
};
inline constexpr std::size_t kServices = 3;

// The room of one gateway for all types of a service together: a flood of one service takes no room
// from another.
struct Room {
    std::size_t records_max = 0;
    std::size_t bytes_max = 0;  // Of payloads.
};

struct RecordTraits {
    RecordType type{};
    Service service{};
    std::size_t payload_max = 0;  // Octets.
    bool secret = false;          // Its payload has keys or passwords.
    bool in_kernel = true;        // false: a standby has it when it has read it.
};

// The longest payload of any type: an IKE SA with a group of 8 192 bits has 3.2 kB, with its
// certificates more.
inline constexpr std::size_t kPayloadBytesMax = std::size_t{8} * 1024;

inline constexpr auto kRecordTraits = [] {
    constexpr std::size_t ordinary = limits::kRecordPayloadBytesMax;
    constexpr std::size_t large = kPayloadBytesMax;
    return std::to_array<RecordTraits>({
#define VPNHA_TRAITS(name, number, service, payload, is_secret, in_kernel) \
    {RecordType::name, Service::service, payload, is_secret, in_kernel},
        VPNHA_RECORD_TYPES(VPNHA_TRAITS)
#undef VPNHA_TRAITS
    });
}();

// Of a type that this release does not know: whatever a later one may have.
inline constexpr RecordTraits kUnknownRecord{RecordType{}, Service::session, kPayloadBytesMax,
                                             true};

[[nodiscard]] constexpr const RecordTraits& traits_of(RecordType type) {
    for (const RecordTraits& traits : kRecordTraits) {
        if (traits.type == type) {
            return traits;
        }
    }
    return kUnknownRecord;
}

[[nodiscard]] constexpr bool is_known(RecordType type) {
    return traits_of(type).type == type;
}

[[nodiscard]] constexpr bool is_session(RecordType type) {
    return traits_of(type).service == Service::session;
}

[[nodiscard]] constexpr Room room_of(Service service) {
    switch (service) {
        case Service::session:
            // Of a kind with larger payloads there may be fewer.
            return {limits::kRecordsPerGatewayMax, limits::kRecordsPerGatewayMax * 1024};
        case Service::checkpoint:
            // Three for each session, and those of ended ones that nobody has answered.
            return {limits::kRecordsPerGatewayMax * 3 + limits::kAccountsEndedMax,
                    limits::kRecordsPerGatewayMax * 384};
        case Service::tracked:
            // A flow has at most 145 octets.
            return {limits::kFlowsPerGatewayMax, limits::kFlowsPerGatewayMax * 256};
    }
    return {};
}

}  // namespace vpnha::wire
