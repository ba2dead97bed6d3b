// SPDX-License-Identifier: GPL-2.0-or-later
// RADIUS accounting of one gateway's sessions: those of PPP, whatever carries them, and those that
// their keepers count. Pure.
//
// The promoted node alone accounts. An account is a record from the session's begin until a server
// has answered its Stop:
//
//   its session is up    | Start, once a standby has the record
//   a server answered    | Interim after each interval
//   the session is over  | Stop, with the cause; before it the Start, if nobody has answered that
//   a server answered    | the record is erased
//
// The counters of PPP are those of the session's device on each node that had it: they are read
// each second, and what a device has counted since is added to the record. So they never go back;
// with a node is lost what passed in its last second. Of another session its keeper says what has
// passed; the first time says that it has begun.
//
// Of a session that was taken over its record tells that it lives; it is looked for in turn.
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
    bool on = false;  // This node accounts for nobody otherwise, and keeps what others wrote.
    Duration interim = std::chrono::minutes(5);
    std::uint32_t requests_per_second = 100;  // At most; at least 1.
    // What an Access-Accept has counts before `interim`.
    bool servers_choose_interim = false;
};

struct AccountCounts {
    // Of answers. Between servers near by and the patience that RADIUS clients have.
    static constexpr std::array<Duration, 12> kTookBounds{
        std::chrono::milliseconds(1),    std::chrono::milliseconds(2),
        std::chrono::milliseconds(5),    std::chrono::milliseconds(10),
        std::chrono::milliseconds(20),   std::chrono::milliseconds(50),
        std::chrono::milliseconds(100),  std::chrono::milliseconds(200),
        std::chrono::milliseconds(500),  std::chrono::milliseconds(1000),
        std::chrono::milliseconds(2000), std::chrono::milliseconds(5000)};

    std::uint64_t sessions = 0;    // Live ones with an account.
    std::uint64_t waiting = 0;     // Starts and Stops that no server has answered.
    std::uint64_t oldest_s = 0;    // So long ago was what the oldest of them tells.
    bool silent = false;           // No server answered the last request.
    std::uint64_t answered = 0;    // Requests, since vpnhad started.
    std::uint64_t unanswered = 0;  // No server answered.
    std::uint64_t failed = 0;      // Answered with something else.
    std::uint64_t dropped = 0;     // Ended sessions whose Stop was given up for a newer one's.
    Histogram<kTookBounds.size()> took{kTookBounds};
};

class Accounts final : public Keeper {
  public:
    // `gateway` must outlive it.
    Accounts(Gateway& gateway, const AccountSettings& settings)
        : gateway_(gateway), settings_(settings), queue_(settings.requests_per_second) {}

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }

    // There is nothing of them in a standby's kernel.
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
    // The living sessions that fit, two at most.
    [[nodiscard]] std::vector<wire::RecordKey> find(const SessionIdentity& identity) const;

  private:
    static constexpr std::array kTypes{wire::RecordType::account};

    struct Account {
        AccountRecord record;
        // Of the pppd that lives, and has the session.
        std::optional<PluginToken> plugin{};
        TimePoint confirmed_by{};  // Its Start waits no longer for a standby to have the record.
        std::optional<EndCause> ordered{};  // Why it was told to end.
    };
    // What a request under way tells.
    struct Told {
        node::AccountingRequest::Kind kind{};
        std::uint64_t seconds = 0;
    };
    struct Reading {
        std::optional<std::uint64_t> ticket;  // Under way.
        std::optional<TimePoint> again_at;
    };
    // Of this node's devices, what they had counted earlier.
    struct EarlierTraffic {
        std::map<std::uint32_t, Traffic> devices;  // That are used again: for other sessions.
        // When they were last read. A device outlives a demotion: it counts on when its session
        // comes back.
        std::map<std::uint32_t, Traffic> last_read;
    };
    using Map = std::map<AccountId, Account>;

    void hear(const node::PluginAsks&, TimePoint, Effects&) {}
    void hear(const node::PluginUp& up, TimePoint now, Effects& effects);
    void hear(const node::PluginDown& down, TimePoint now, Effects& effects);
    void hear(const node::AccountingAnswered& answer, TimePoint now, Effects& effects);
    void hear(const node::TrafficRead& read, TimePoint now, Effects& effects);
    void hear(const node::DeviceReused& reused, TimePoint now, Effects& effects);

    bool begin_if_promoted(TimePoint now);
    void begin(TimePoint now);
    void stop();
    void open(AccountRecord record, std::optional<PluginToken> plugin, TimePoint now,
              Effects& effects);
    void close(Account& account, EndCause cause, TimePoint now, Effects* effects);
    void note_ended(const AccountRecord& record);
    void forget(const AccountId& id, TimePoint now);
    // Out of what leads to a live session.
    void unlink(Account& account);
    void link(Account& account);
    // Some of those whose session lives without a pppd of this node.
    void look_after_sessions(TimePoint now);
    void read_due(TimePoint now, Effects& effects);
    void publish_due(TimePoint now);
    void publish(const Account& account);
    // What of a device's traffic is no part of a session that another node has counted last.
    [[nodiscard]] Traffic counted_before(std::uint32_t device) const;
    void send_due(TimePoint now, Effects& effects);
    // A Start waits for a standby to have the account, and for the Stop under way of who had the
    // address before: a server that has the addresses in its database would else free it again.
    [[nodiscard]] bool may_start(const Account& account, TimePoint now) const;
    [[nodiscard]] node::AccountingRequest request_of(const AccountRecord& record,
                                                     TimePoint now) const;
    [[nodiscard]] Duration interim_of(const AccountRecord& record) const;
    // When the servers want to hear of it next.
    [[nodiscard]] TimePoint due_of(const AccountRecord& record, TimePoint now) const;
    void log(LogLevel level, const std::string& text, Effects& effects) const;
    // By which names operators and servers know the session.
    void log_account(const AccountRecord& record, Effects& effects) const;

    [[nodiscard]] replica::Replica& replica() { return gateway_.replica(); }
    [[nodiscard]] const replica::Replica& replica() const { return gateway_.replica(); }

    Gateway& gateway_;
    AccountSettings settings_;
    // Where this node is promoted: since which epoch; all accounts, and some ways to find them.
    std::optional<Epoch> serving_;
    Map accounts_;
    std::map<wire::RecordKey, AccountId> by_session_;  // Live ones, as the next.
    std::map<Ipv4Address, AccountId> by_address_;
    std::map<PluginToken, AccountId> by_plugin_;
    std::set<AccountId> ended_;
    std::map<Ipv4Address, AccountId> ended_by_address_;  // The latest of them.
    AccountQueue queue_;
    std::map<std::uint64_t, Told> told_;  // By ticket.
    Reading reading_;
    std::set<AccountId> changed_;  // To be published.
    std::optional<TimePoint> publish_at_;
    std::optional<TimePoint> look_at_;  // At the replica, for the first time.
    AccountId looked_at_;               // Of accounts_, the last one.
    EarlierTraffic earlier_;
    std::uint64_t last_ticket_ = 0;
    std::uint32_t opened_ = 0;
    AccountCounts counts_;  // The last five.
};

}  // namespace vpnha::keepers
