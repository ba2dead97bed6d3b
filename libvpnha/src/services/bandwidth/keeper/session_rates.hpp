// SPDX-License-Identifier: GPL-2.0-or-later
// The sessions of a family that have a rate on this node, and their devices. Pure.
//
//   the session …                        | its device here
//   -------------------------------------+-------------------------------------------------------
//   is stock                             | pppd's has the rate
//   is hot                               | the one that was installed has it, before it is resumed
//   is resumed                           | keeps it
//   has another rate (CoA)               | has that one; on a standby with its changed record
//   ends                                 | is gone, or has none: a call's device waits for others
//   is another node's from now           | as hot, when that one is installed
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "protocols/keeper.hpp"
#include "protocols/ppp/model/session_facts.hpp"
#include "services/bandwidth/work.hpp"

namespace vpnha::keepers {

class SessionRates {
  public:
    // Neither is set: the protocol's backend knows it.
    struct Device {
        std::uint32_t number = 0;
        std::string interface {};
    };

    // `gateway` must outlive it.
    explicit SessionRates(const Gateway& gateway) : gateway_(gateway) {}

    // It has that device. No effect for a session without a limit, unless it had one.
    void set(const wire::RecordKey& session, const ppp::SessionFacts& facts, Device device,
             Effects& effects);
    // It is over. No effect for one without a limit.
    void remove(const wire::RecordKey& session, Effects& effects);
    void remove_all(Effects& effects);

  private:
    const Gateway& gateway_;
    std::set<wire::RecordKey> limited_;
};

}  // namespace vpnha::keepers
