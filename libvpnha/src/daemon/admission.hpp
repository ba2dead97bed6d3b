// SPDX-License-Identifier: GPL-2.0-or-later
// Whether this node accepts new clients, by its free capacity. Pure.
//
// A resource used at or beyond its mark closes the node; it opens when all are 5 percent below.
// While closed, the gate drops packets that begin a session, as for a gateway that is drained:
// clients try again, and existing sessions continue.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/effects/effects.hpp"
#include "config/config.hpp"

namespace vpnha::runtime {

// In percent of the capacity; nullopt: not known.
struct Load {
    std::optional<double> conntrack = std::nullopt;
    std::optional<double> descriptors = std::nullopt;
    std::optional<double> memory = std::nullopt;
    std::optional<double> processor = std::nullopt;  // Since the last reading.
};

class Admission {
  public:
    explicit Admission(const config::Admission& marks) : marks_(marks) {}

    // Read once a second. Returns a change, as a log line.
    [[nodiscard]] std::optional<effects::Log> on_load(const Load& load);

    [[nodiscard]] bool closed() const { return !causes_.empty(); }
    // The exhausted resources, by the names of Load; for a closed node those that closed it.
    [[nodiscard]] const std::vector<std::string>& causes() const { return causes_; }
    // How often it closed.
    [[nodiscard]] std::uint64_t closures() const { return closures_; }

  private:
    config::Admission marks_;
    std::vector<std::string> causes_;
    std::uint64_t closures_ = 0;
    double processor_ = 0;  // Smoothed.
};

}  // namespace vpnha::runtime
