// SPDX-License-Identifier: GPL-2.0-or-later
// The PPTP calls of one gateway on one node. Pure.
//
// On the promoted node a call is stock or resumed. Stock: negotiated here, carried by pptpd and
// pppd, reported by its plugin and seen by the observer. Resumed: taken over, carried by this
// node's data path. On every other node it is hot: prepared and silent. Its two records hold what
// was negotiated, and its numbers; it is prepared when both are there.
//
//   record           | from                          | on a standby
//   -----------------+-------------------------------+---------------------------------------------
//   pptp_call        | the plugin, once              | prepared; confirmed by the data path
//   pptp_numbers     | the observer and the data     | handed to the data path, in batches;
//                    | path, read each 100 ms        | confirmed at once
//
// A grant of the lease shows whether the numbers are final. If not, the data path probes each
// client for the newer numbers (protocols/pptp/model/ladder.hpp): a margin would be a guess, and
// MPPE accepts none of more than 2 047 packets.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/accounting.hpp"
#include "protocols/ppp/keeper/ppp_keeper.hpp"
#include "protocols/pptp/keeper/call_releases.hpp"
#include "protocols/pptp/work.hpp"

namespace vpnha::keepers {

using node::record_key_of;

class PptpCalls final : public PppKeeper, public Counted {
  public:
    // `gateway` must outlive it.
    PptpCalls(Gateway& gateway, const Settings& settings)
        : PppKeeper(gateway, wire::RecordType::pptp_call, settings) {}

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
    [[nodiscard]] Duration lets_out() const override { return limits::kLetsOutCalls; }
    void pause(Effects& effects) override;
    void unpause(TimePoint now, Effects& effects) override;
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;

    [[nodiscard]] std::optional<ppp::SessionFacts> facts_of(ByteView payload) const override;
    [[nodiscard]] std::uint32_t tunnel_type() const override { return 1; }
    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] Counts counts() const override;

  private:
    static constexpr std::array kTypes{wire::RecordType::pptp_call, wire::RecordType::pptp_numbers};

    // Absent: not in the data path. Resumed: it carries the call, or was asked to.
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
    struct Reading {
        std::uint64_t ticket = 0;
        TimePoint asked_at;
    };
    void handle(const node::CallPrepared& prepared, TimePoint now, Effects& effects);
    void handle(const node::CallResumed& resumed, TimePoint now, Effects& effects);
    void handle(const node::CallEnded& ended, TimePoint now, Effects& effects);
    void handle(const node::CallsRead& read, TimePoint now, Effects& effects);

    [[nodiscard]] std::string name_of(const wire::RecordKey& key) const override;
    void describe(const wire::RecordKey& key, SessionView& view) const override;
    [[nodiscard]] std::string ipparam_of(const wire::RecordKey& key) const override;
    [[nodiscard]] SessionRates::Device device_of(const wire::RecordKey& key) const override;
    [[nodiscard]] std::string_view not_ready() const override {
        return "not yet prepared on this node";
    }
    [[nodiscard]] bool is_resumed(const wire::RecordKey& key) const override;
    [[nodiscard]] bool begin_stock(const node::PluginSession& session,
                                   const ppp::SessionFacts& facts, TimePoint now,
                                   Effects& effects) override;
    void end_stock(const wire::RecordKey& key, TimePoint now, Effects& effects) override;
    void amend(const wire::RecordKey& key, const ppp::SessionFacts& facts) override;
    void end_resumed(const wire::RecordKey& key, std::string reason, EndCause cause, TimePoint now,
                     Effects& effects) override;
    // Neither this node nor a stock daemon has prepared it: notifies its client of the end.
    void give_up(const wire::RecordKey& key, TimePoint now, Effects& effects) override;
    void on_plugin_up(const node::PluginUp& up, TimePoint now, Effects& effects) override;

    [[nodiscard]] Result<void> put(const replica::Install& wanted, TimePoint now);
    // Once both records are there.
    void prepare(const pptp::CallKey& key, Effects& effects);
    void emit_numbers(Effects& effects);
    // Releases calls whose numbers have come back.
    void release(Effects& effects);
    void resume(std::vector<pptp::CallKey> keys, TimePoint now, Effects& effects);
    // Published as soon as this node may do so: follow().
    void erase_ended(const pptp::CallKey& key, EndCause cause, TimePoint now);
    void erase(const pptp::CallKey& key, TimePoint now);
    [[nodiscard]] bool is_live(const Call& call) const;
    // Another live call with the client's address and our id: GRE has nothing else to distinguish a
    // client's packets.
    [[nodiscard]] std::optional<pptp::CallKey> same_in_gre(const pptp::CallKey& key) const;
    [[nodiscard]] bool has_live() const;
    // No node has used numbers beyond those that this node knows. For a call that is not resumed
    // yet, only the client knows the last node's numbers.
    [[nodiscard]] bool are_final() const;
    void ask(TimePoint now, Effects& effects);

    Calls calls_;
    std::set<pptp::CallKey> renumbered_;       // The data path has older numbers of them.
    std::map<pptp::CallKey, EndCause> ended_;  // Before this node might publish it.
    bool is_promoted_ = false;
    Epoch granted_;  // Later arrivals of older numbers are ignored.
    CallReleases releases_;
    std::uint64_t last_ticket_ = 0;
    std::optional<Reading> reading_;
    std::optional<TimePoint> read_again_at_;
    TimePoint read_at_{};
    std::uint64_t times_resumed_ = 0;  // Calls, by the data path, after takeovers.
    std::uint64_t gre_in_ = 0;         // Packets, as the numbers have it.
    std::uint64_t gre_out_ = 0;
};

}  // namespace vpnha::keepers
