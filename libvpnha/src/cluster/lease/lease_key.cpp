// SPDX-License-Identifier: GPL-2.0-or-later
// The keys of datagrams (datagram.hpp), all derived from the cluster's with BLAKE2b (RFC 7693).
#include <sodium.h>

#include <array>
#include <initializer_list>

#include "base/assert.hpp"
#include "cluster/lease/datagram.hpp"
#include "cluster/lease/witness_key.hpp"

namespace vpnha::lease {

namespace {

// Not used for anything else with the cluster's key.
constexpr std::string_view kPurpose = "vpnha lease 1";
constexpr std::string_view kWitnessPurpose = "vpnha witness 1";

LeaseKey::Octets derived(std::initializer_list<ByteView> parts) {
    LeaseKey::Octets octets;
    crypto_generichash_state state{};
    crypto_generichash_init(&state, nullptr, 0, octets.size());
    for (const ByteView part : parts) {
        crypto_generichash_update(&state, part.data(), part.size());
    }
    crypto_generichash_final(&state, octets.data(), octets.size());
    sodium_memzero(&state, sizeof state);
    return octets;
}

}  // namespace

LeaseKey::LeaseKey(std::string_view cluster_key)
    : octets_(derived({to_bytes(kPurpose), to_bytes(cluster_key)})) {}

LeaseKey LeaseKey::of_witness(std::string_view cluster_key, std::string_view name) {
    VPNHA_ASSERT(name.size() <= kWitnessNameMax);
    const std::array<std::uint8_t, 1> length{static_cast<std::uint8_t>(name.size())};
    return LeaseKey(
        derived({to_bytes(kWitnessPurpose), length, to_bytes(name), to_bytes(cluster_key)}));
}

}  // namespace vpnha::lease
