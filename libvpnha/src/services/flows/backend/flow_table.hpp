// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the flows in this node's kernel, and the expectations of its helpers.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "services/flows/model/expectation.hpp"
#include "services/flows/model/flow.hpp"
#include "services/flows/model/standby.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ports {

class FlowTable {
  public:
    struct Counters {
        std::uint64_t collisions = 0;      // Flows of this node's own that were replaced.
        std::uint64_t without_helper = 0;  // Installed without: this kernel does not have it.
        std::uint64_t without_parent = 0;  // Installed as independent flows.
        std::uint64_t refused = 0;
    };
    using Flows = std::span<const conntrack::Flow>;

    virtual ~FlowTable() = default;

    // Makes the kernel's entries equal to `flows`, at most limits::kFlowsPerTrain of them: new ones
    // are made, existing ones are changed (live ones by `live`), conflicting ones are removed. True
    // for each one that the kernel has now.
    virtual Result<std::vector<bool>> install(Flows flows, conntrack::Live live) = 0;
    // At most limits::kFlowsPerTrain. False for each one that the kernel does not have.
    virtual Result<std::vector<bool>> set_timeouts(
        std::span<const conntrack::Timeout> timeouts) = 0;
    // Removing a flow that is not there is a success.
    virtual Result<void> remove(std::span<const conntrack::FlowKey> keys) = 0;
    [[nodiscard]] virtual Result<std::optional<conntrack::Flow>> find(
        const conntrack::FlowKey& key) = 0;

    // The same for expectations, with a hot flow's timeout. Their parents must be there.
    virtual Result<std::vector<bool>> install_expectations(
        std::span<const conntrack::Expectation> expectations) = 0;
    virtual Result<std::vector<bool>> set_expectation_timeouts(
        std::span<const conntrack::Timeout> timeouts) = 0;
    virtual Result<void> remove_expectations(std::span<const conntrack::FlowKey> keys) = 0;
    // The whole table, without zones, which the kernel does not report.
    [[nodiscard]] virtual Result<std::vector<conntrack::Expectation>> list_expectations() = 0;
    [[nodiscard]] virtual const Counters& counters() const = 0;
};

}  // namespace vpnha::ports
