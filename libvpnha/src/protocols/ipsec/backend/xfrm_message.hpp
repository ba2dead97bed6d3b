// SPDX-License-Identifier: GPL-2.0-or-later
// ESP SAs in the kernel's XFRM netlink messages: their numbers, never their keys.
#pragma once

#include <libmnl/libmnl.h>

#include <optional>

#include "protocols/ipsec/model/sa_counters.hpp"

namespace vpnha::adapters {

// Room for any request: a window of 4096 packets takes 512 octets.
inline constexpr std::size_t kXfrmRequestBytesMax = 1024;

// The kernel's state of an SA's numbers, in the format in which it has to be written back.
struct SaReplay {
    bool extended = false;  // XFRMA_REPLAY_ESN_VAL; otherwise XFRMA_REPLAY_VAL.
    std::uint32_t window = 0;
    std::uint64_t oseq = 0;
    std::uint64_t seq = 0;
    std::vector<std::uint32_t> bitmap;  // As many words as the SA was made with.
    friend bool operator==(const SaReplay&, const SaReplay&) = default;
};

// For a listing; nothing when it is no ESP SA with numbers, or none that packets can use yet.
[[nodiscard]] std::optional<ipsec::SaCounters> parse_sa(const nlmsghdr* message);
// For the answer to put_replay_question().
[[nodiscard]] std::optional<SaReplay> parse_replay(const nlmsghdr* message);

// The state to set in a kernel that has `now`. No number goes back. A window of another size than
// the SA's counts as full: packets are lost rather than accepted twice.
[[nodiscard]] SaReplay advanced(SaReplay now, const ipsec::SaCounters& wanted);

// These write to `buffer`, which has room for kXfrmRequestBytesMax.
[[nodiscard]] nlmsghdr* put_sa_listing(char* buffer);
[[nodiscard]] nlmsghdr* put_replay_question(char* buffer, const ipsec::SaCounters& sa);
[[nodiscard]] nlmsghdr* put_replay(char* buffer, const ipsec::SaCounters& sa,
                                   const SaReplay& replay);
[[nodiscard]] nlmsghdr* put_sa_removal(char* buffer, const ipsec::SaCounters& sa);

}  // namespace vpnha::adapters
