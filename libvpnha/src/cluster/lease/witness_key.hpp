// SPDX-License-Identifier: GPL-2.0-or-later
// The data that a witness is given of a cluster: the one line that `vpnha witness-key` prints and
// vpnha-witness keeps as its key file.
//
//   vpnha-witness-key 1 CLUSTER NAME KEY
//
//   CLUSTER, NAME   for humans: octets other than letters, digits, '.', '_' and '-' as %XX; an
//                   empty one as %
//   KEY             64 hexadecimal digits
//
// The line is a secret: its owner can answer for the witness. It is never a std::string.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/secret_octets.hpp"
#include "cluster/lease/datagram.hpp"
#include "vpnha/result.hpp"

namespace vpnha::lease {

// Names have 255 octets at most.
inline constexpr std::size_t kWitnessNameMax = 255;
inline constexpr std::size_t kWitnessKeyLineMax = 2048;

struct WitnessKey {
    std::string cluster;
    std::string name;
    LeaseKey::Octets octets;
};

class WitnessKeyLine {
  public:
    // Longer names are cut.
    explicit WitnessKeyLine(const WitnessKey& key);
    // With its end of line.
    [[nodiscard]] std::string_view view() const {
        return {reinterpret_cast<const char*>(octets_.data()), size_};
    }

  private:
    void append(std::string_view text);
    void append_name(std::string_view name);

    SecretOctets<kWitnessKeyLineMax> octets_;
    std::size_t size_ = 0;
};

// Error malformed: it is no such line; unsupported: it is one of another release. The detail has
// nothing of the line in it.
[[nodiscard]] Result<WitnessKey> parse_witness_key(std::string_view line);
// Compares every octet, whatever the first difference is.
[[nodiscard]] bool is_same_key(const WitnessKey& one, const WitnessKey& other);

}  // namespace vpnha::lease
