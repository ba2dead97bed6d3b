// SPDX-License-Identifier: GPL-2.0-or-later
// What the lease must know of this node's past (ports/leases.hpp), as JSON in the state directory:
//
//   gateway-1.lease   epochs claimed and granted, fence marks, the list of voters
//   lives.json        how often vpnhad has started here, and the newest start of each other node
//                     that was heard of
//
// A file that was cut or edited is an error that names it, and never an empty one.
#pragma once

#include <vector>

#include "adapters/state_directory.hpp"
#include "lease/replay_guard.hpp"
#include "ports/leases.hpp"

namespace vpnha::adapters {

class LeaseFiles final : public ports::Leases {
  public:
    [[nodiscard]] static Result<LeaseFiles> open(const std::string& directory);

    [[nodiscard]] Result<std::optional<lease::Durable>> load(GatewayId gateway) const override;
    Result<void> save(GatewayId gateway, const lease::Durable& durable) override;

    // A number above those of all starts before; on the disk when it returns.
    [[nodiscard]] Result<lease::Instance> begin_instance();
    // As saved last.
    [[nodiscard]] const std::vector<lease::ReplayGuard::Known>& known() const { return known_; }
    Result<void> save_known(std::vector<lease::ReplayGuard::Known> known);

  private:
    explicit LeaseFiles(StateDirectory directory) : directory_(std::move(directory)) {}
    Result<void> load_lives();
    [[nodiscard]] Result<void> save_lives() const;

    StateDirectory directory_;
    lease::Instance instance_{};
    std::vector<lease::ReplayGuard::Known> known_;
};

}  // namespace vpnha::adapters
