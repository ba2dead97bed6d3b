// SPDX-License-Identifier: GPL-2.0-or-later
// RADIUS accounting of one gateway's sessions: those of PPP, whatever carries them, and those that
// their keepers count. Pure.
//
// Only the promoted node sends accounting. An account is a record from the session's begin until a
// server has answered its Stop:
//
//   its session is up    | Start, once a standby has the record
//   a server answered    | Interim after each interval
//   the session is over  | Stop, with the cause; before it the Start, if that has no answer yet
//   a server answered    | the record is erased
//
// The counters of PPP are those of the session's device on each node that had it. They are read
// each second, and a device's increase is added to the record. So they never go back; the traffic
// of a node's last second is lost with the node. The keeper of any other session reports its
// traffic; the first report means that the session has begun.
//
// A resumed session lives as long as its record; the records are checked in turn.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/accounting.hpp"
#include "base/histogram.hpp"
#include "protocols/keeper.hpp"
#include "protocols/ppp/plugin_event.hpp"
#include "services/accounting/keeper/account_queue.hpp"
#include "services/accounting/model/account_record.hpp"
#include "services/accounting/work.hpp"

namespace vpnha::keepers {

struct AccountSettings {
    bool on = false;  // Otherwise this node sends no accounting, and keeps other nodes' records.
    Duration interim = std::chrono::minutes(5);
    std::uint32_t requests_per_second = 100;  // At most; at least 1.
    // The value of an Access-Accept takes precedence over `interim`.
    bool servers_choose_interim = false;
};

struct AccountCounts {
    // Answer times. From servers near by to the patience of RADIUS clients.
    static constexpr std::array<Duration, 12> kTookBounds{
        std::chrono::milliseconds(1),    std::chrono::milliseconds(2),
        std::chrono::milliseconds(5),    std::chrono::milliseconds(10),
        std::chrono::milliseconds(20),   std::chrono::milliseconds(50),
        std::chrono::milliseconds(100),  std::chrono::milliseconds(200),
        std::chrono::milliseconds(500),  std::chrono::milliseconds(1000),
        std::chrono::milliseconds(2000), std::chrono::milliseconds(5000)};

    std::uint64_t sessions = 0;    // Live ones with an account.
    std::uint64_t waiting = 0;     // Starts and Stops that no server has answered.
    std::uint64_t oldest_s = 0;    // The age of the oldest event among them.
    bool silent = false;           // No server answered the last request.
    std::uint64_t answered = 0;    // Requests, since vpnhad started.
    std::uint64_t unanswered = 0;  // No server answered.
    std::uint64_t failed = 0;      // Answered with something else.
    std::uint64_t dropped = 0;     // Ended sessions whose Stop was dropped for a newer one.
    Histogram<kTookBounds.size()> took{kTookBounds};
};

class Accounts final : public Keeper {
  public:
    // `gateway` must outlive it.
    Accounts(Gateway& gateway, const AccountSettings& settings)
        : gateway_(gateway), settings_(settings), queue_(settings.requests_per_second) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }

    // A standby's kernel has nothing of them.
    void install(const replica::Install& wanted, TimePoint now, Effects& effects) override;
    void remove(const wire::RecordKey&, Effects&) override {}
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint, Effects&) override {}
    void follow(TimePoint now, Effects& effects) override;

    void promote(TimePoint, Effects&) override {}
    void pause(Effects&) override {}
    void unpause(TimePoint, Effects&) override {}
    void mute(Effects& effects) override;
    void detach(Effects& effects) override;

    void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) override;
    void on_end(const wire::RecordKey& session, EndCause cause, TimePoint now) override;
    void on_end_ordered(const wire::RecordKey& session, EndCause cause) override;
    void on_usage(const Usage& usage, TimePoint now, Effects& effects) override;
    void on_time(TimePoint now, Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;

    [[nodiscard]] Counts counts() const override { return {}; }
    [[nodiscard]] Status status(TimePoint now) const override;
    [[nodiscard]] AccountCounts account_counts(TimePoint now) const;

    // False: no session of this gateway is meant, whichever node has it. It has no accounts, or the
    // Acct-Session-Id is another gateway's.
    [[nodiscard]] bool may_have(const SessionIdentity& identity) const;
    // This node has all accounts of the gateway, and continues them.
    [[nodiscard]] bool is_serving() const;
    // The live sessions that match, at most two.
    [[nodiscard]] std::vector<wire::RecordKey> find(const SessionIdentity& identity) const;

  private:
    static constexpr std::array kTypes{wire::RecordType::account};

    struct Account {
        AccountRecord record;
        // The live pppd that has the session.
        std::optional<PluginToken> plugin{};
        TimePoint confirmed_by{};  // Until then its Start waits for a standby to have the record.
        std::optional<EndCause> ordered{};  // The ordered cause of its end.
    };
    // The content of a request under way.
    struct Notified {
        node::AccountingRequest::Kind kind{};
        std::uint64_t seconds = 0;
    };
    struct Reading {
        std::optional<std::uint64_t> ticket;  // Under way.
        std::optional<TimePoint> again_at;
    };
    // Earlier counts of this node's devices.
    struct EarlierTraffic {
        std::map<std::uint32_t, Traffic> devices;  // Devices that other sessions use again.
        // When they were last read. A device outlives a demotion: its counters continue when its
        // session comes back.
        std::map<std::uint32_t, Traffic> last_read;
    };
    using Map = std::map<AccountId, Account>;

    void handle(const node::PluginAsks&, TimePoint, Effects&) {}
    void handle(const node::PluginUp& up, TimePoint now, Effects& effects);
    void handle(const node::PluginDown& down, TimePoint now, Effects& effects);
    void handle(const node::AccountingAnswered& answer, TimePoint now, Effects& effects);
    void handle(const node::TrafficRead& read, TimePoint now, Effects& effects);
    void handle(const node::DeviceReused& reused, TimePoint now, Effects& effects);

    bool begin_if_promoted(TimePoint now);
    void begin(TimePoint now);
    void stop();
    void open(AccountRecord record, std::optional<PluginToken> plugin, TimePoint now,
              Effects& effects);
    void close(Account& account, EndCause cause, TimePoint now, Effects* effects);
    void note_ended(const AccountRecord& record);
    void forget(const AccountId& id, TimePoint now);
    // Removes it from the indexes of live sessions.
    void unlink(Account& account);
    void link(Account& account);
    // Checks some of those whose session lives without a pppd of this node.
    void look_after_sessions(TimePoint now);
    void read_due(TimePoint now, Effects& effects);
    void publish_due(TimePoint now);
    void publish(const Account& account);
    // A device's traffic that does not belong to a session that another node has counted last.
    [[nodiscard]] Traffic counted_before(std::uint32_t device) const;
    void send_due(TimePoint now, Effects& effects);
    // A Start waits until a standby has the account, and until the last owner's Stop for that
    // address is answered: a server with the addresses in its database would free it again.
    [[nodiscard]] bool may_start(const Account& account, TimePoint now) const;
    [[nodiscard]] node::AccountingRequest request_of(const AccountRecord& record,
                                                     TimePoint now) const;
    [[nodiscard]] Duration interim_of(const AccountRecord& record) const;
    // When the servers expect the next report.
    [[nodiscard]] TimePoint due_of(const AccountRecord& record, TimePoint now) const;
    void log(LogLevel level, const std::string& text, Effects& effects) const;
    // Logs the names by which operators and servers know the session.
    void log_account(const AccountRecord& record, Effects& effects) const;

    [[nodiscard]] replica::Replica& replica() { return gateway_.replica(); }
    [[nodiscard]] const replica::Replica& replica() const { return gateway_.replica(); }

    Gateway& gateway_;
    AccountSettings settings_;
    // Where this node is promoted: since which epoch; all accounts, and indexes of them.
    std::optional<Epoch> serving_;
    Map accounts_;
    std::map<wire::RecordKey, AccountId> by_session_;  // Live ones, as in the next.
    std::map<Ipv4Address, AccountId> by_address_;
    std::map<PluginToken, AccountId> by_plugin_;
    std::set<AccountId> ended_;
    std::map<Ipv4Address, AccountId> ended_by_address_;  // The latest of them.
    AccountQueue queue_;
    std::map<std::uint64_t, Notified> notified_;  // By ticket.
    Reading reading_;
    std::set<AccountId> changed_;  // To be published.
    std::optional<TimePoint> publish_at_;
    std::optional<TimePoint> look_at_;  // The first check of the replica.
    AccountId looked_at_;               // The last one of accounts_.
    EarlierTraffic earlier_;
    std::uint64_t last_ticket_ = 0;
    std::uint32_t opened_ = 0;
    AccountCounts counts_;  // The last five.
};

}  // namespace vpnha::keepers
