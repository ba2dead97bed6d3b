// SPDX-License-Identifier: GPL-2.0-or-later
// Reads the node's load once a second, and has
// the gate drop new clients if it is too high.
#pragma once

#include "daemon/admission.hpp"
#include "host/gate/gate.hpp"
#include "host/os/node_load.hpp"
#include "host/os/qb_loop.hpp"

namespace vpnha::runtime {

// Of two readings.
[[nodiscard]] Load load_of(const adapters::NodeLoad& before, const adapters::NodeLoad& now);

class AdmissionWatch {
  public:
    // All must outlive it. Opens the gate, which an earlier vpnhad may have closed.
    AdmissionWatch(adapters::QbLoop& loop, adapters::BpfGate& gate, const config::Admission& marks);

    [[nodiscard]] const Admission& admission() const { return admission_; }

  private:
    void look();
    void notify_gate();

    adapters::QbLoop& loop_;
    adapters::BpfGate& gate_;
    Admission admission_;
    adapters::NodeLoad before_;
};

}  // namespace vpnha::runtime
