// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the items that this node compares with the others (config/fingerprints.hpp): its
// configuration, and the files that pppd reads. Nothing of a file's content is kept.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/fingerprints.hpp"

namespace vpnha::runtime {

class SetupReader {
  public:
    // `key_file` is the key that all nodes of the cluster share. `config` must outlive the reader.
    SetupReader(const config::Config& config, std::string key_file)
        : config_(config), key_file_(std::move(key_file)) {}

    // Without the cluster's key the files are left out, which is logged: a hash that anybody can
    // compute would betray passwords.
    [[nodiscard]] std::vector<wire::Setup> read();
    // Of the last reading: with another key all
    // fingerprints differ. nullopt: there was none.
    [[nodiscard]] std::optional<std::uint64_t> key_mark() const { return key_mark_; }

  private:
    [[nodiscard]] std::uint64_t read_file(const config::FingerprintKey& key,
                                          const std::string& path, config::LineOrder order);
    // Once for each new state of a file.
    void complain(const std::string& path, const std::string& what);

    const config::Config& config_;
    std::string key_file_;
    std::map<std::string, std::string> complaints_;
    std::map<std::string, std::uint64_t> last_;
    std::optional<std::uint64_t> key_mark_;
};

}  // namespace vpnha::runtime
