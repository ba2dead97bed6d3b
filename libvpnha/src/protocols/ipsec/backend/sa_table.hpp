// SPDX-License-Identifier: GPL-2.0-or-later
// Port: the ESP SAs from or to a gateway's addresses in this node's kernel. Calls are carried out
// in order. Answers come from the event loop, never from within a call.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "protocols/ipsec/model/sa_counters.hpp"
#include "vpnha/result.hpp"

namespace vpnha::ports {

class SaTable {
  public:
    using Sas = std::span<const ipsec::SaCounters>;
    using OnListed = std::function<void(const Result<Sas>&)>;
    using Done = std::function<void(const Result<void>&)>;

    virtual ~SaTable() = default;

    // Lists the SAs without their keys.
    virtual void list(OnListed on_listed) = 0;
    // No number goes back: a higher number in the kernel is kept, except that of an outbound SA
    // where `exact`. An error names the first SA that is missing or was refused; the others have
    // been set.
    virtual void set(std::vector<ipsec::SaCounters> counters, bool exact, Done done) = 0;
    // Removes the SAs; policies stay.
    virtual void flush(Done done) = 0;
};

}  // namespace vpnha::ports
