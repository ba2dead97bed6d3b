// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of addresses for which this node answers instead of its clients
// (services/proxies/work.hpp). It makes and removes entries, and sends frames to the neighbours, in
// slices: at a takeover there are as many as clients, and the loop has leases to renew. It sends
// the frames again a second later, for neighbours that missed the first ones.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "base/time.hpp"
#include "config/config.hpp"
#include "host/os/qb_loop.hpp"
#include "protocols/backend.hpp"
#include "protocols/ppp/model/proxied_address.hpp"
#include "services/proxies/backend/proxy_table.hpp"
#include "services/proxies/work.hpp"

namespace vpnha::runtime {

class Proxies final : public ports::Backend {
  public:
    // Both must outlive it. In the network namespace of the calling thread.
    Proxies(const config::Config& config, adapters::QbLoop& loop, adapters::ProxyTable table)
        : config_(config), loop_(loop), table_(std::move(table)) {}
    ~Proxies() override;
    Proxies(const Proxies&) = delete;
    Proxies& operator=(const Proxies&) = delete;

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;
    // Entries are made again.
    void announce(GatewayId gateway) override;

  private:
    void carry_out(const node::AnswerForClient& work);
    void carry_out(const node::StopAnswering& work);
    using Entry = std::pair<GatewayId, ppp::ProxiedAddress>;
    struct Turn {
        TimePoint at;
        Entry entry;
        bool is_first = false;  // The entry is made as well.
    };

    [[nodiscard]] const std::string& interface_of(const Entry& entry) const;
    void proceed();
    void work_slice();
    void do_turn(const Turn& turn);
    void remove(const Entry& entry);

    const config::Config& config_;
    adapters::QbLoop& loop_;
    adapters::ProxyTable table_;
    std::set<Entry> wanted_;
    std::deque<Entry> gone_;
    std::deque<Turn> first_;
    std::deque<Turn> second_;
};

}  // namespace vpnha::runtime
