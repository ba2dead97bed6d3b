// SPDX-License-Identifier: GPL-2.0-or-later
// The lease's memory of this node's past, as JSON in the state directory. Each file has its space
// on the disk reserved, so that a full disk stops no vote:
//
//   gateway-1.lease   epochs claimed and granted, fence marks, the list of voters; for a witness
//                     also "ahead" (cluster/lease/witness.hpp)
//
// A node accepts no file of a witness, and a witness accepts no file of a node. A file that was cut
// or edited is an error that names it, and never an empty one.
#pragma once

#include "cluster/lease/effects.hpp"
#include "cluster/lease/witness.hpp"
#include "host/os/state_directory.hpp"

namespace vpnha::adapters {

class LeaseFiles {
  public:
    [[nodiscard]] static Result<LeaseFiles> open(const std::string& directory);

    // nullopt: nothing was ever saved. An unreadable file is an error, never nullopt.
    [[nodiscard]] Result<std::optional<lease::Durable>> load(GatewayId gateway) const;
    [[nodiscard]] Result<std::optional<lease::Witness::File>> load_of_witness(
        GatewayId gateway) const;
    // Reserves the space of the next save. Error: the disk has none left.
    [[nodiscard]] Result<void> reserve(GatewayId gateway) const;
    // On the disk when it returns.
    Result<void> save(GatewayId gateway, const lease::Durable& durable) const;
    Result<void> save(GatewayId gateway, const lease::Witness::File& file) const;

  private:
    explicit LeaseFiles(StateDirectory directory) : directory_(std::move(directory)) {}

    StateDirectory directory_;
};

}  // namespace vpnha::adapters
