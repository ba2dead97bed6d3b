// SPDX-License-Identifier: GPL-2.0-or-later
// Whether Corosync encrypts the nodes' messages, at the start and from then on.
#pragma once

#include <string>

#include "host/corosync/cluster_map.hpp"

namespace vpnha::runtime {

// The remedies, including the setting that permits this program to run without.
[[nodiscard]] std::string how_to_encrypt(const std::string& off_because, const std::string& what);

class Encryption {
  public:
    // `may_be_off`: vpnha.toml permits it.
    explicit Encryption(bool may_be_off) : may_be_off_(may_be_off) {}

    // Error invalid_config: it is off, and may not be.
    [[nodiscard]] Result<void> check(const adapters::TotemKeys& keys);
    // Corosync's configuration was written; logs a change.
    void check_again(const adapters::TotemKeys& keys);
    // It is off, and may not be: a start would be refused, and no record may leave this node.
    [[nodiscard]] bool forbids_records() const { return !off_because_.empty() && !may_be_off_; }

    // Why it is off; empty when it is on.
    [[nodiscard]] const std::string& off_because() const { return off_because_; }
    [[nodiscard]] bool may_be_off() const { return may_be_off_; }

  private:
    bool may_be_off_;
    std::string off_because_;
};

}  // namespace vpnha::runtime
