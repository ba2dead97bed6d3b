// SPDX-License-Identifier: GPL-2.0-or-later
// What Corosync's own configuration says about its links (cmap): whether knet encrypts what the
// nodes tell each other, and where the cluster's key is.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adapters/qb_loop.hpp"

namespace vpnha::adapters {

// The keys totem.* that decide; empty when a key is not set.
struct TotemKeys {
    std::string transport;
    std::string secauth;
    std::string crypto_cipher;
};
// Why nothing is encrypted, in words that name the key; empty when it is.
[[nodiscard]] std::string unencrypted_because(const TotemKeys& keys);

class ClusterMap {
  public:
    // `on_change` is called whenever one of the keys was written. Unreachable: corosync does not
    // run.
    static Result<std::unique_ptr<ClusterMap>> open(QbLoop& loop, std::function<void()> on_change);
    ~ClusterMap();
    ClusterMap(const ClusterMap&) = delete;
    ClusterMap& operator=(const ClusterMap&) = delete;

    [[nodiscard]] TotemKeys totem() const;
    // The file of the key that all nodes share.
    [[nodiscard]] std::string key_file() const;

  private:
    struct State;
    explicit ClusterMap(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace vpnha::adapters
