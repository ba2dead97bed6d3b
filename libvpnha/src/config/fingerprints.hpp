// SPDX-License-Identifier: GPL-2.0-or-later
// What a node sends the others about its set-up, so that a difference is found before a failover.
// One item for each key of vpnha.toml, and for each file that decides whether a client may continue
// or dial in again. Never a value, only a hash under a key that the cluster's nodes share:
// listeners must not be able to try passwords.
//
// Files are compared as their readers parse them: comments, blank lines and the blanks between
// words do not count.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_octets.hpp"
#include "cluster/wire/message.hpp"
#include "config/config.hpp"

namespace vpnha::config {

class FingerprintKey {
  public:
    // From the cluster's key, of whatever length.
    explicit FingerprintKey(std::string_view cluster_key);
    FingerprintKey(const FingerprintKey&) = delete;
    FingerprintKey& operator=(const FingerprintKey&) = delete;

    using Octets = SecretOctets<32>;
    [[nodiscard]] const Octets& octets() const { return octets_; }

  private:
    Octets octets_;
};

[[nodiscard]] std::uint64_t fingerprint_of_text(const FingerprintKey& key, std::string_view text);
[[nodiscard]] std::uint64_t fingerprint_of_file(const FingerprintKey& key, std::string_view content,
                                                LineOrder order);

// Of the file's content, or of its absence.
using FileFingerprint = std::function<std::uint64_t(const std::string& path, LineOrder order)>;

// One for the node, with gateway 0, and one for each gateway. Without `of_file` files are left out.
[[nodiscard]] std::vector<wire::Setup> setups_of(const Config& config, const Schema& schema,
                                                 const FingerprintKey& key,
                                                 const FileFingerprint& of_file);

}  // namespace vpnha::config
