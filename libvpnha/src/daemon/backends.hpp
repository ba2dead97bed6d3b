// SPDX-License-Identifier: GPL-2.0-or-later
// The backends of this node, those of the protocols and of the services: opened together, and then
// used through their common interface.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/node/node.hpp"
#include "protocols/backends.hpp"
#include "services/flows/backend/flow_backend.hpp"
#include "services/flows/backend/flow_table.hpp"
#include "services/scripts/backend/scripts.hpp"

namespace vpnha::runtime {

class Backends {
  public:
    // All of it outlives the backends.
    struct Host {
        ports::BackendHost of_all;
        node::Node& node;
        FlowBackend::Run run;
    };

    // `flows`: as open_flow_table() returns it. Errors are those of each open().
    [[nodiscard]] static Result<std::unique_ptr<Backends>> open(
        const Host& host, std::unique_ptr<ports::FlowTable> flows);
    // From the last to the first.
    ~Backends();
    Backends(const Backends&) = delete;
    Backends& operator=(const Backends&) = delete;

    [[nodiscard]] const std::vector<ports::Backend*>& all() const { return all_; }
    // `done` when none of pppd's scripts waits or runs any more; at once when no gateway has some.
    void complete_scripts(std::function<void()> done);

  private:
    Backends() = default;
    // nullptr: no gateway needs it.
    void add(std::unique_ptr<ports::Backend> opened);
    void add_scripts(adapters::QbLoop& loop);
    // Of a session on this node; empty: it has gone meanwhile.
    [[nodiscard]] std::function<std::string(const wire::RecordKey&)> interface_of() const;

    std::vector<std::unique_ptr<ports::Backend>> opened_;
    std::vector<ports::Backend*> all_;
    Scripts* scripts_ = nullptr;  // One of them, if a gateway has scripts.
};

}  // namespace vpnha::runtime
