// SPDX-License-Identifier: GPL-2.0-or-later
// The common part of the keepers of PPP sessions over L2TP and PPTP. It handles stock sessions as
// pppd's plugin reports them, pppds that wait for a standby's confirmation, time-outs, and clients
// that have to dial again. It also handles scripts, proxied addresses, rates, and the list for
// `vpnha sessions`. Pure. A session is named by the key of its record; a protocol's keeper does
// what depends on the protocol.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/accounting.hpp"
#include "protocols/keeper.hpp"
#include "protocols/ppp/keeper/paced_ends.hpp"
#include "protocols/ppp/keeper/stock_sessions.hpp"
#include "protocols/ppp/keeper/timeouts.hpp"
#include "protocols/ppp/plugin_event.hpp"
#include "services/accounting/work.hpp"
#include "services/bandwidth/keeper/session_rates.hpp"
#include "services/proxies/keeper/client_proxies.hpp"
#include "services/scripts/keeper/resume_scripts.hpp"
#include "services/scripts/work.hpp"

namespace vpnha::keepers {

struct Settings;  // protocols/families.hpp

class PppKeeper : public Keeper {
  public:
    struct Settings {
        Duration confirm_wait{};  // A pppd continues after that.
        // How many clients a second are notified that their session has ended after a takeover, and
        // have to dial again; at least 1.
        std::uint32_t redials_per_second = 100;
        bool resume_scripts = false;
        bool radius_rates = false;  // A RADIUS server may change the rate of a session.
    };
    [[nodiscard]] static Settings settings_of(const keepers::Settings& all);

    void on_replica(TimePoint now, Effects& effects) override;
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;

    [[nodiscard]] Result<void> end(const wire::RecordKey& key, TimePoint now,
                                   Effects& effects) final;
    [[nodiscard]] Result<ppp::Terms> change(const wire::RecordKey& key,
                                            const ppp::TermsChange& change, TimePoint now,
                                            Effects& effects) final;
    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] std::vector<SessionView> sessions(const ListPart& part) const final;
    [[nodiscard]] SessionTotals session_totals() const final;
    [[nodiscard]] Counts counts() const override;

  protected:
    // `gateway` must outlive it. `type`: of the records of sessions.
    PppKeeper(Gateway& gateway, wire::RecordType type, const Settings& settings);

    // For the log.
    [[nodiscard]] virtual std::string name_of(const wire::RecordKey& key) const = 0;
    // Sets protocol, ids and peer of the session's view.
    virtual void describe(const wire::RecordKey& key, SessionView& view) const = 0;
    // The `ipparam` that its stock daemon passes to pppd; empty: none.
    [[nodiscard]] virtual std::string ipparam_of(const wire::RecordKey&) const { return {}; }
    // The device of a resumed or hot session on this node.
    [[nodiscard]] virtual SessionRates::Device device_of(const wire::RecordKey&) const {
        return {};
    }
    // Why this node has not installed it.
    [[nodiscard]] virtual std::string_view not_ready() const = 0;
    [[nodiscard]] virtual bool is_resumed(const wire::RecordKey& key) const = 0;
    // A stock session is up: its records are to be published. False: they cannot be.
    [[nodiscard]] virtual bool begin_stock(const node::PluginSession& session,
                                           const ppp::SessionFacts& facts, TimePoint now,
                                           Effects& effects) = 0;
    // It is over, and so are its records. This node is promoted.
    virtual void end_stock(const wire::RecordKey& key, TimePoint now, Effects& effects) = 0;
    // Its record has these facts from now on.
    virtual void amend(const wire::RecordKey& key, const ppp::SessionFacts& facts) = 0;
    // This side ends a resumed session, and notifies its client.
    virtual void end_resumed(const wire::RecordKey& key, std::string reason, EndCause cause,
                             TimePoint now, Effects& effects) = 0;
    // Ends a session of ending_ that was not resumed.
    virtual void give_up(const wire::RecordKey& key, TimePoint now, Effects& effects) = 0;

    virtual void on_plugin_up(const node::PluginUp& up, TimePoint now, Effects& effects);
    virtual void on_traffic(const node::TrafficRead& read, TimePoint now, Effects& effects);

    // Ends sessions of ending_ whose time has come.
    void end_unresumable(TimePoint now, Effects& effects);
    void watch_timeouts(const wire::RecordKey& key, const ppp::SessionFacts& facts, TimePoint now);
    void run_scripts(const wire::RecordKey& key, const ppp::SessionFacts& facts,
                     std::uint32_t device, Effects& effects);
    void log(LogLevel level, const char* what, const wire::RecordKey& key, const std::string& why,
             Effects& effects) const;
    // Logs that it was not resumed.
    void log_lost(const wire::RecordKey& key, const std::string& why, Effects& effects);

    [[nodiscard]] replica::Replica& replica() { return gateway_.replica(); }
    [[nodiscard]] const replica::Replica& replica() const { return gateway_.replica(); }

    Gateway& gateway_;
    Refusals refusals_;
    StockSessions stock_;
    Timeouts timeouts_;                  // Of resumed ones.
    PacedEnds<wire::RecordKey> ending_;  // Resumed ones, and those that this node cannot resume.
    ResumeScripts scripts_;              // Of resumed ones.
    ClientProxies proxies_;              // Of resumed ones, too.
    SessionRates rates_;                 // Of all that have a device.

  private:
    struct Waiting {
        wire::RecordKey key;
        TimePoint until;
    };
    struct Counters {
        std::uint64_t confirm_timeouts = 0;  // pppds that continued before a standby had confirmed.
        std::uint64_t sessions_lost = 0;     // Not resumed at a promotion.
    };

    void on_plugin_down(const node::PluginDown& down, TimePoint now, Effects& effects);
    void end_due(TimePoint now, Effects& effects);
    ppp::Terms change_facts(const wire::RecordKey& key, ppp::SessionFacts& facts,
                            const ppp::TermsChange& change, Effects& effects);
    [[nodiscard]] node::ScriptFacts script_facts(const wire::RecordKey& key,
                                                 const ppp::SessionFacts& facts,
                                                 std::uint32_t device) const;
    // From the store. nullopt: it has none, or this release cannot read them.
    [[nodiscard]] std::optional<ppp::SessionFacts> stored_facts(const wire::RecordKey& key) const;
    [[nodiscard]] SessionView view_of(const wire::RecordKey& key,
                                      const ppp::SessionFacts& facts) const;
    [[nodiscard]] SessionView view_of(const StockSessions::Session& session) const;
    // nullopt: this release cannot read the record.
    [[nodiscard]] std::optional<SessionView> view_of(const wire::RecordKey& key,
                                                     const replica::StoredRecord& stored) const;

    wire::RecordType type_;
    Duration confirm_wait_;
    bool radius_rates_;
    std::map<PluginToken, Waiting> waiting_plugins_;
    Counters counters_;
};

}  // namespace vpnha::keepers
