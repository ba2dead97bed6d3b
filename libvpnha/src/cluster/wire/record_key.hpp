// SPDX-License-Identifier: GPL-2.0-or-later
// Identity of a record within its gateway. A value without memory of its own: hundreds of thousands
// of them are keys of maps.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/limits.hpp"

namespace vpnha::wire {

// Types with the high bit set are optional: a node that does not know one carries it, others it
// refuses.
enum class RecordType : std::uint8_t {
    l2tp_session = 1,
    flow = 2,
    expectation = 3,
    ike_sa = 4,
    child_sa = 5,
    esp_counters = 6,
    pptp_call = 7,
    pptp_numbers = 8,
    program = 0x60,       // Of programs that are not ours (vpnha/checkpoint.hpp).
    echo_session = 0x70,  // Of tests/echo, as the next.
    echo_number = 0x71,
    client_address = 0x90,  // Optional: without it addresses are given as before there were any.
    drain = 0x91,           // Optional: who does not know it takes new clients.
    account = 0x92,         // Optional: who does not know it accounts for nobody.
    open_request = 0x93,    // Optional: who does not know it sends none of them again.
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
