// SPDX-License-Identifier: GPL-2.0-or-later
// The clients of a family for which this node answers ARP and neighbour solicitations, as did the
// node that negotiated their sessions. Pure.
//
//   the session …                        | this node
//   -------------------------------------+-------------------------------------------------------
//   is resumed                           | answers, and sends gratuitous ARP
//   is paused, without a lease           | continues: its gate is shut
//   ends, or is another node's from now  | stops
//   is stock                             | leaves it to pppd
//   was stock, and is another node's now | stops: its pppd is killed by the demotion
//   is stock anew, after it was resumed  | leaves it to pppd, which has made the same entry
//   is hot                               | does not answer
#pragma once

#include <map>
#include <vector>

#include "protocols/keeper.hpp"
#include "protocols/ppp/model/proxied_address.hpp"

namespace vpnha::keepers {

class ClientProxies {
  public:
    // `gateway` must outlive it.
    explicit ClientProxies(const Gateway& gateway) : gateway_(gateway) {}

    // No effect for a session without such addresses, or one that is up already.
    void up(const wire::RecordKey& session, const std::vector<ppp::ProxiedAddress>& addresses,
            Effects& effects);
    void down(const wire::RecordKey& session, Effects& effects);
    void down_all(Effects& effects);
    void leave_to_pppd(const wire::RecordKey& session) { up_.erase(session); }
    void stock_down(const std::vector<ppp::ProxiedAddress>& addresses, Effects& effects) const;

  private:
    const Gateway& gateway_;
    std::map<wire::RecordKey, std::vector<ppp::ProxiedAddress>> up_;
};

}  // namespace vpnha::keepers
