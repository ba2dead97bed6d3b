// SPDX-License-Identifier: GPL-2.0-or-later
// What the members of a group hold: L2TP sessions, or IKE SAs of IKEv2. Of an IKE SA there are
// three records: its own, its CHILD SA's, and the numbers of that one's ESP.
#pragma once

#include <fmt/format.h>

#include <cstdint>

#include "cluster/replica/replica.hpp"
#include "protocols/ipsec/model/sa_record.hpp"
#include "session_records.hpp"
#include "support/ha_builder.hpp"

namespace vpnha::bench {

// By a record's number. Another generation is another payload of the same size.
struct RecordSet {
    wire::RecordKey (*key)(std::uint32_t number);
    Bytes (*payload)(std::uint32_t number, std::uint32_t generation);
    // What the kernel is asked to install can be read.
    bool (*is_readable)(const replica::Install& wanted);
};

inline constexpr RecordSet kSessionRecords{
    .key = &record_key,
    .payload = [](std::uint32_t number, std::uint32_t generation) -> Bytes {
        return l2tp::encode_record(session_record(number, generation));
    },
    .is_readable =
        [](const replica::Install& wanted) {
            return l2tp::parse_record(wanted.payload).has_value();
        }};

inline constexpr std::uint32_t kRecordsOfSa = 3;
inline constexpr std::uint32_t kInboundSpi = 0xc000'0000;
inline constexpr std::uint32_t kOutboundSpi = 0xd000'0000;
inline constexpr std::uint32_t kReplayWindow = 32;

// A client of IKEv2 with a virtual address and a name of 22 octets.
inline test::IkeSample ike_client(std::uint32_t number) {
    const auto address = [number](int first, std::uint32_t second) {
        return fmt::format("{}.{}.{}.{}", first, second + (number >> 16), number >> 8 & 0xff,
                           number & 0xff);
    };
    test::IkeSample client;
    client.id = test::ike_id(2, number + 1);
    client.client = fmt::format("user{:06}@example.net", number % 1'000'000);
    client.address = address(10, 0);
    client.inner = address(100, 64);
    return client;
}

inline constexpr RecordSet kIkeRecords{
    .key = [](std::uint32_t number) -> wire::RecordKey {
        const std::uint32_t client = number / kRecordsOfSa;
        if (number % kRecordsOfSa == 0) {
            return {wire::RecordType::ike_sa,
                    wire::RecordId(ipsec::encode_key(test::ike_id(2, client + 1).key))};
        }
        return {number % kRecordsOfSa == 1 ? wire::RecordType::child_sa
                                           : wire::RecordType::esp_counters,
                wire::RecordId(ipsec::encode_spi(kInboundSpi + client))};
    },
    .payload = [](std::uint32_t number, std::uint32_t generation) -> Bytes {
        const std::uint32_t index = number / kRecordsOfSa;
        const test::IkeSample client = ike_client(index);
        const std::uint32_t spi = kInboundSpi + index;
        switch (number % kRecordsOfSa) {
            case 0: {
                ipsec::IkeSa sa;
                sa.id = client.id;
                sa.order = index + 1;
                sa.add = client.add();
                sa.updates = {client.update()};
                sa.mid_responder = generation + 2;
                return ipsec::encode_record(sa);
            }
            case 1: {
                const Bytes add = client.child(spi, kOutboundSpi + index);
                return ipsec::encode_record(ipsec::ChildSa{.spi = spi,
                                                           .spi_out = kOutboundSpi + index,
                                                           .made = client.id.key,
                                                           .owner = client.id.key,
                                                           .order = generation + 1,
                                                           .add = add});
            }
            default:
                return ipsec::encode_record(ipsec::EspCounters{.spi = spi,
                                                               .born = 1,
                                                               .window = kReplayWindow,
                                                               .oseq = generation,
                                                               .seq = generation,
                                                               .bitmap = {0}});
        }
    },
    .is_readable =
        [](const replica::Install& wanted) {
            const ByteView id = wanted.key.id.view();
            switch (wanted.key.type) {
                case wire::RecordType::ike_sa:
                    return ipsec::parse_ike_sa(id, wanted.payload).has_value();
                case wire::RecordType::child_sa:
                    return ipsec::parse_child_sa(id, wanted.payload).has_value();
                default:
                    return ipsec::parse_esp_counters(id, wanted.payload).has_value();
            }
        }};

}  // namespace vpnha::bench
