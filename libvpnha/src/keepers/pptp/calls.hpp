// SPDX-License-Identifier: GPL-2.0-or-later
// The PPTP calls of one gateway on one node. Pure.
//
// A call is, on the promoted node, either stock (negotiated here, carried by pptpd and pppd, known
// by its plugin and seen by the observer) or resumed (taken over, carried by this node's data
// path). On every other node it is hot: prepared and silent. It has two records, what was
// negotiated and its numbers, and is prepared when both are there.
//
//   record           | from                          | on a standby
//   -----------------+-------------------------------+---------------------------------------------
//   pptp_call        | the plugin, once              | prepared: confirmed when the data path has
//   it pptp_numbers     | the observer and the data     | handed to the data path, in batches;
//                    | path, read each 100 ms        | confirmed at once
//
// A grant of the lease says whether the numbers are final. If not, the data path asks each client
// for what was sent since (pptp/ladder.hpp): a margin would be a guess, and MPPE takes none of more
// than 2 047 packets.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/accounting.hpp"
#include "effects/accounting_work.hpp"
#include "effects/plugin_event.hpp"
#include "effects/pptp_work.hpp"
#include "keepers/client_proxies.hpp"
#include "keepers/keeper.hpp"
#include "keepers/paced_ends.hpp"
#include "keepers/pptp/call_releases.hpp"
#include "keepers/resume_scripts.hpp"
#include "keepers/stock_sessions.hpp"
#include "keepers/timeouts.hpp"

namespace vpnha::keepers {

[[nodiscard]] wire::RecordKey record_key_of(const pptp::CallKey& key);

class PptpCalls final : public Keeper, public Counted {
  public:
    // `gateway` must outlive it. A pppd goes on after `confirm_wait`. After a takeover
    // `redials_per_second` clients are told that they have to dial again; at least 1.
    PptpCalls(Gateway& gateway, Duration confirm_wait, std::uint32_t redials_per_second,
              bool resume_scripts)
        : gateway_(gateway),
          confirm_wait_(confirm_wait),
          ending_(redials_per_second),
          scripts_(gateway, resume_scripts),
          proxies_(gateway) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }
    [[nodiscard]] Counted* counted() override { return this; }

    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey& key, Effects& effects) override;
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint now, Effects& effects) override;
    void follow(TimePoint now, Effects& effects) override;

    void warm(const Margin& margin, TimePoint now, Effects& effects) override;
    [[nodiscard]] bool is_warm() const override { return true; }
    void read(TimePoint now, Effects& effects) override;
    [[nodiscard]] TimePoint read_at() const override { return read_at_; }

    void promote(TimePoint now, Effects& effects) override;
    [[nodiscard]] bool takes_packets() const override {
        return is_promoted_ && releases_.all_are_resumed();
    }
    void pause(Effects& effects) override;
    void unpause(TimePoint now, Effects& effects) override;
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;

    [[nodiscard]] Result<void> end(const wire::RecordKey& key, TimePoint now,
                                   Effects& effects) override;
    [[nodiscard]] Result<ppp::Timeouts> change(const wire::RecordKey& key,
                                               const ppp::TimeoutChange& change, TimePoint now,
                                               Effects& effects) override;
    void on_event(const node::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] std::vector<SessionView> sessions(const ListPart& part) const override;
    [[nodiscard]] SessionTotals session_totals() const override;
    [[nodiscard]] Counts counts() const override;

  private:
    static constexpr std::array kTypes{wire::RecordType::pptp_call, wire::RecordType::pptp_numbers};

    // Absent: not in the data path. Resumed: it carries the call, or is asked to.
    enum class Stage { absent, preparing, prepared, resumed, stock };
    struct Call {
        std::optional<pptp::CallRecord> record;
        std::optional<pptp::CallNumbers> numbers;
        Stage stage = Stage::absent;
        std::optional<std::uint64_t> installing;  // The replica waits for the record.
        std::uint64_t preparing = 0;              // The data path's ticket.
        std::uint32_t device = 0;                 // Of a prepared one.
    };
    using Calls = std::map<pptp::CallKey, Call>;
    struct Waiting {
        wire::RecordKey key;
        TimePoint until;
    };
    struct Reading {
        std::uint64_t ticket = 0;
        TimePoint asked_at;
    };
    struct Counters {
        std::uint64_t resumed = 0;  // By the data path, after takeovers.
        std::uint64_t lost =
            0;  // Not resumed at a promotion: not prepared here, or ends with its node.
        std::uint64_t confirm_timeouts = 0;  // pppds that went on before a standby had confirmed.
    };

    void hear(const node::CallPrepared& prepared, TimePoint now, Effects& effects);
    void hear(const node::CallResumed& resumed, TimePoint now, Effects& effects);
    void hear(const node::CallEnded& ended, TimePoint now, Effects& effects);
    void hear(const node::CallsRead& read, TimePoint now, Effects& effects);
    void hear(const node::AccountingAnswered&, TimePoint, Effects&) {}
    void hear(const node::TrafficRead& read, TimePoint now, Effects& effects);
    void hear(const node::PluginAsks&, TimePoint, Effects&) {}
    void hear(const node::PluginUp& up, TimePoint now, Effects& effects);
    void hear(const node::PluginDown& down, TimePoint now, Effects& effects);

    [[nodiscard]] Result<void> put(const replica::Install& wanted, TimePoint now);
    // Once both records are there.
    void prepare(const pptp::CallKey& key, Effects& effects);
    void say_numbers(Effects& effects);
    // Those whose numbers have come back.
    void release(Effects& effects);
    void resume(std::vector<pptp::CallKey> keys, TimePoint now, Effects& effects);
    void watch_timeouts(const pptp::CallRecord& record, TimePoint now);
    void end_due(TimePoint now, Effects& effects);
    // Of ending_, those whose time has come.
    void end_unresumable(TimePoint now, Effects& effects);
    // This node has not prepared it, and no stock daemon serves it: its client is told.
    void give_up(const pptp::CallKey& key, TimePoint now, Effects& effects);
    // Told as soon as this node may say so: follow().
    void end(const pptp::CallKey& key, EndCause cause, TimePoint now);
    void erase(const pptp::CallKey& key, TimePoint now);
    [[nodiscard]] bool is_live(const Call& call) const;
    // Another live call with the client's address and our id: nothing else in GRE tells a client's
    // packets apart.
    [[nodiscard]] std::optional<pptp::CallKey> same_in_gre(const pptp::CallKey& key) const;
    [[nodiscard]] bool has_live() const;
    // Nobody has used numbers beyond those that this node knows. Of a call that it has yet to
    // resume only the client knows how far the last node came.
    [[nodiscard]] bool are_final() const;
    void ask(TimePoint now, Effects& effects);
    void log(node::Level level, const char* what, const pptp::CallKey& key, const std::string& why,
             Effects& effects) const;

    [[nodiscard]] replica::Replica& replica() { return gateway_.replica(); }
    [[nodiscard]] const replica::Replica& replica() const { return gateway_.replica(); }
    [[nodiscard]] SessionView view_of(const pptp::CallRecord& record) const;
    // nullopt: this release cannot read the record.
    [[nodiscard]] std::optional<SessionView> view_of(const wire::RecordKey& key,
                                                     const replica::StoredRecord& stored) const;

    Gateway& gateway_;
    Duration confirm_wait_;
    Calls calls_;
    Refusals refusals_;
    StockSessions<pptp::CallRecord> stock_;
    std::map<node::PluginToken, Waiting> waiting_plugins_;
    std::set<pptp::CallKey> renumbered_;       // The data path has older numbers of them.
    std::map<pptp::CallKey, EndCause> ended_;  // Before this node might say so.
    Timeouts timeouts_;                        // Of resumed ones.
    PacedEnds<pptp::CallKey> ending_;          // Resumed ones, and those that are not prepared.
    ResumeScripts scripts_;                    // Of resumed ones.
    ClientProxies proxies_;                    // As well.
    bool is_promoted_ = false;
    Epoch granted_;  // Numbers of before it that come now are not heeded.
    CallReleases releases_;
    std::uint64_t last_ticket_ = 0;
    std::optional<Reading> reading_;
    std::optional<TimePoint> read_again_at_;
    TimePoint read_at_{};
    Counters counters_;
};

}  // namespace vpnha::keepers
