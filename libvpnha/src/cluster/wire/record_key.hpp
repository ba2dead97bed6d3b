// SPDX-License-Identifier: GPL-2.0-or-later
// Identity of a record within its gateway. A value without heap memory: hundreds of thousands of
// them are keys of maps.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/limits.hpp"

namespace vpnha::wire {

// All types of records, one line each, with the traits on which the nodes have agreed
// (RecordTraits). Types with the high bit set are optional: a node that does not know one carries
// it, other types it refuses.
// clang-format off
#define VPNHA_RECORD_TYPES(TYPE)                                                                   \
    /*   name               number service     payload   is_secret in_kernel */                    \
    TYPE(l2tp_session,      0x01,  session,    ordinary, false,    true)                           \
    TYPE(flow,              0x02,  tracked,    ordinary, false,    true)                           \
    TYPE(expectation,       0x03,  tracked,    ordinary, false,    true)                           \
    TYPE(ike_sa,            0x04,  session,    large,    true,     true)                           \
    TYPE(child_sa,          0x05,  session,    large,    true,     true)                           \
    TYPE(esp_counters,      0x06,  checkpoint, ordinary, false,    true)                           \
    TYPE(pptp_call,         0x07,  session,    ordinary, true,     true)                           \
    TYPE(pptp_numbers,      0x08,  checkpoint, ordinary, false,    true)                           \
    TYPE(wireguard_peer,    0x09,  session,    large,    true,     true)                           \
    TYPE(wireguard_traffic, 0x0a,  checkpoint, ordinary, false,    false)                          \
    /* Of programs that are not ours (vpnha/checkpoint.hpp). */                                    \
    TYPE(program,           0x60,  session,    large,    true,     true)                           \
    /* Of examples/echo. */                                                                        \
    TYPE(echo_session,      0x70,  session,    ordinary, true,     true)                           \
    TYPE(echo_number,       0x71,  checkpoint, ordinary, false,    true)                           \
    /* A node without these types: assigns addresses as before; accepts new clients; sends no      \
     * accounting; repeats no requests. */                                                         \
    TYPE(client_address,    0x90,  checkpoint, ordinary, false,    false)                          \
    TYPE(drain,             0x91,  checkpoint, ordinary, false,    false)                          \
    TYPE(account,           0x92,  checkpoint, ordinary, false,    false)                          \
    TYPE(open_request,      0x93,  checkpoint, ordinary, false,    false)
// clang-format on

enum class RecordType : std::uint8_t {
#define VPNHA_NUMBER(name, number, ...) name = number,
    VPNHA_RECORD_TYPES(VPNHA_NUMBER)
#undef VPNHA_NUMBER
};
inline constexpr std::uint8_t kOptionalRecordType = 0x80;

[[nodiscard]] constexpr bool is_optional(RecordType type) {
    return (static_cast<std::uint8_t>(type) & kOptionalRecordType) != 0;
}

class RecordId {
  public:
    RecordId() = default;
    // At most limits::kRecordIdBytesMax octets: more is a programming error.
    explicit RecordId(ByteView bytes);

    [[nodiscard]] ByteView view() const { return {bytes_.data(), size_}; }
    // Octets beyond the size are 0.
    friend auto operator<=>(const RecordId&, const RecordId&) = default;

  private:
    std::array<std::uint8_t, limits::kRecordIdBytesMax> bytes_{};
    std::uint8_t size_ = 0;
};

struct RecordKey {
    RecordType type{};
    RecordId id;
    friend auto operator<=>(const RecordKey&, const RecordKey&) = default;
};

// Not below any key of the type.
[[nodiscard]] RecordKey last_key(RecordType type);

}  // namespace vpnha::wire
