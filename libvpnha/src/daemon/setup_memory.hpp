// SPDX-License-Identifier: GPL-2.0-or-later
// The last set-up of this node: so each change of the configuration, of secrets and of PPP options
// is an event, with the old and the new fingerprint. Across starts a file remembers it, which has
// names and fingerprints, and no value.
//
// Fingerprints are made with the cluster's key. With another key all of them differ, so the values
// cannot be compared: then the key is what has changed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/wire/message.hpp"

namespace vpnha::runtime {

class SetupMemory {
  public:
    // nullopt: the item was not there, or is not any more.
    struct Change {
        GatewayId gateway;  // 0: of the whole node.
        std::string item;
        std::optional<std::uint64_t> before;
        std::optional<std::uint64_t> after;
    };

    // As encode() has made it; an unreadable text counts as empty.
    [[nodiscard]] static SetupMemory parse(std::string_view text);
    [[nodiscard]] std::string encode() const;

    // Returns the changes since; remembers all. None for the first set-up ever. `key_mark`: a
    // fingerprint of nothing.
    [[nodiscard]] std::vector<Change> take(const std::vector<wire::Setup>& setups,
                                           std::uint64_t key_mark);

  private:
    using Items = std::map<std::pair<GatewayId, std::string>, std::uint64_t>;

    std::optional<std::uint64_t> key_mark_;
    Items items_;
};

// "gateway dialin: pools has changed event=config-changed gateway=dialin item=pools old=… new=…";
// `gateway` is empty for the whole node.
[[nodiscard]] std::string line_of(const SetupMemory::Change& change, const std::string& gateway);

}  // namespace vpnha::runtime
