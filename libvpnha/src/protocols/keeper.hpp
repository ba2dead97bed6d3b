// SPDX-License-Identifier: GPL-2.0-or-later
// A keeper looks after one family of records of one gateway on one node: it brings them into this
// node's kernel while another node serves, and goes on with them when this one does. Pure.
//
//   the gateway …            | a keeper
//   -------------------------+-----------------------------------------------------------------
//   is followed              | install(), remove(): what the replica holds is in the kernel, hot
//   is promoted              | promote(): what is hot goes on
//   has no lease for a while | pause(): says nothing; unpause(): goes on
//   is demoted, superseded   | mute(): says nothing more; the next holder goes on
//   is detached              | detach(): nothing remains in the kernel but what is live
//
// Where its records have numbers that nobody may use twice it is Counted as well, and hears of the
// lease before the gate opens:
//
//   is granted               | warm(): the numbers go on beyond what others may have used
//   is handed over           | read(): the gate is shut, and a successor waits for the last numbers
//
// A record belongs to the keeper that has its type. The gateway keeps those that nobody has.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/accounting.hpp"
#include "base/ip.hpp"
#include "base/limits.hpp"
#include "base/rate.hpp"
#include "base/status.hpp"
#include "base/time.hpp"
#include "cluster/effects/effects.hpp"
#include "cluster/replica/gateway_clock.hpp"
#include "cluster/replica/replica.hpp"
#include "protocols/margin.hpp"
#include "protocols/ppp/model/session_facts.hpp"

namespace vpnha::keepers {

using effects::Effects;

// What a session without a pppd has used since it was told last: its keeper counts it.
struct Usage {
    wire::RecordKey session;
    std::string user;
    std::optional<Ipv4Address> address;  // The client's in the tunnel.
    IpAddress peer;                      // The client's outside, now.
    Traffic passed;                      // Without packets, where nobody counts those.
    // The same session has been told of by this record.
    std::optional<wire::RecordKey> replaces{};
    std::optional<Ipv6Address> address6{};  // Beside `address`, or alone.
    std::uint64_t began_unix_ms = 0;        // By the gateway's clock; 0: with this.
};

// What a keeper sees of its gateway.
class Gateway {
  public:
    [[nodiscard]] virtual GatewayId id() const = 0;
    [[nodiscard]] virtual replica::Replica& replica() = 0;
    [[nodiscard]] virtual const replica::Replica& replica() const = 0;
    // An agent has started it here.
    [[nodiscard]] virtual bool is_attached() const = 0;
    // This node is promoted, or draining.
    [[nodiscard]] virtual bool is_served() const = 0;
    // Its lease holds: peers hear what is said.
    [[nodiscard]] virtual bool is_heard() const = 0;
    // By which the ages of its sessions are counted.
    [[nodiscard]] virtual const replica::GatewayClock& clock() const = 0;
    // Has the keepers install whatever the replica holds and this node's kernel lacks.
    virtual void install_missing(TimePoint now, Effects& effects) = 0;
    // A session that this node went on with has ended: all keepers hear of it, at once.
    virtual void tell_end(const wire::RecordKey& session, EndCause cause, TimePoint now) = 0;
    // Of a session that lives: all keepers hear of it, at once.
    virtual void tell_usage(const Usage& usage, TimePoint now, Effects& effects) = 0;
    // As Keeper::lives() of the keeper that has the type.
    [[nodiscard]] virtual bool lives(const wire::RecordKey& session, TimePoint now) const = 0;
    // Those that the replica has, of all protocols with PPP.
    using VisitSession = std::function<void(const wire::RecordKey&, const ppp::SessionFacts&)>;
    virtual void visit_ppp_sessions(const VisitSession& visit) const = 0;
    // As Keeper::tunnel_type() of the keeper that has the type; 0: none does.
    [[nodiscard]] virtual std::uint32_t tunnel_type_of(wire::RecordType type) const = 0;
    // For the log: "gateway=l2tp epoch=3.1".
    [[nodiscard]] virtual std::string tag() const = 0;

  protected:
    ~Gateway() = default;
};

// What has passed of a session that has no device of its own.
struct Passed {
    std::string_view unit;  // "octets", "packets".
    std::uint64_t in = 0;   // From the client.
    std::uint64_t out = 0;
    friend bool operator==(const Passed&, const Passed&) = default;
};

// As `vpnha sessions` shows it.
// NOLINTNEXTLINE(readability-identifier-naming): the glossary's word is a keyword of C++.
enum class SessionState { protected_, unprotected, hot, resumed, quarantined };

struct SessionView {
    wire::RecordKey record;
    std::string_view protocol;
    // As the protocol calls them: {"tunnel", 4711}, …
    std::vector<std::pair<std::string_view, std::uint32_t>> ids;
    std::string peer;       // "192.0.2.51:1701", "[2001:db8::51]:4500"; empty: not known.
    std::string address;    // The client's in the tunnel; may be empty.
    std::string user;       // As authenticated; may be empty.
    std::string interface;  // At the node that negotiated it.
    std::uint64_t established_unix_ms = 0;  // By the gateway's clock.
    SessionState state{};
    Epoch epoch;
    std::string reason;  // Why it is unprotected or quarantined.
    // What else is the client's: its link-local address where IPv6CP is open, networks behind it.
    std::vector<std::string> networks{};
    std::optional<Passed> passed{};
    Rate rate{};
};

// Which sessions of a list: at most `max`, with keys after `after`, in the order of their keys. A
// list of 100 000 takes longer than a lease, so that it is read in parts.
struct ListPart {
    wire::RecordKey after{};  // Below each key: from the first one on.
    std::size_t max = std::numeric_limits<std::size_t>::max();
};

struct SessionTotals {
    std::size_t all = 0;
    std::size_t quarantined = 0;  // Of them, those that this release cannot apply.
};

// By their names in the counters of `vpnha status`.
using Counts = std::map<std::string, std::uint64_t>;

// Numbers that nobody may use twice, as of ESP, GRE or MPPE. Records of the service `checkpoint`
// have them.
class Counted {
  public:
    // This node has been granted the lease. Before the gate opens, each number that it uses next is
    // beyond its record by what `margin` says. A later record within that changes it no more.
    virtual void warm(const Margin& margin, TimePoint now, Effects& effects) = 0;
    [[nodiscard]] virtual bool is_warm() const = 0;
    // Where this node serves: reads them now, and publishes what has changed.
    virtual void read(TimePoint now, Effects& effects) = 0;
    // All numbers as they stood then, or later, have been published.
    [[nodiscard]] virtual TimePoint read_at() const = 0;

  protected:
    ~Counted() = default;
};

class Keeper {
  public:
    Keeper() = default;
    virtual ~Keeper() = default;
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    [[nodiscard]] virtual std::span<const wire::RecordType> types() const = 0;
    // nullptr: it has no such numbers.
    [[nodiscard]] virtual Counted* counted() { return nullptr; }

    // Of a record of its types; the replica is told what became of an installation.
    virtual void install(const replica::Install& wanted, TimePoint now, Effects& effects) = 0;
    virtual void remove(const wire::RecordKey& key, Effects& effects) = 0;
    // The replica has become complete.
    virtual void on_in_sync(TimePoint now) = 0;
    // The replica has heard of members, confirmations or changes.
    virtual void on_replica(TimePoint now, Effects& effects) = 0;
    // After every event, before the replica says what is due.
    virtual void follow(TimePoint now, Effects& effects) = 0;

    // The node has the gateway's addresses, and its gate opens next.
    virtual void on_addresses(Effects& /*effects*/) {}
    // The gate is open, and the links know the node. Before promote(): where this node stands in,
    // by as long as the group takes to form.
    virtual void on_open(TimePoint /*now*/, Effects& /*effects*/) {}
    virtual void promote(TimePoint now, Effects& effects) = 0;
    virtual void pause(Effects& effects) = 0;
    virtual void unpause(TimePoint now, Effects& effects) = 0;
    virtual void mute(Effects& effects) = 0;
    virtual void detach(Effects& effects) = 0;
    // The daemons that promote() or mute() turns have changed their role.
    [[nodiscard]] virtual bool has_turned() const { return true; }
    // What comes for the gateway's sessions is taken: by the kernel at once, by a data path as soon
    // as it has done what promote() asked of it.
    [[nodiscard]] virtual bool takes_packets() const { return true; }

    // What is within the old node when it gives the gateway up leaves it in that time.
    [[nodiscard]] virtual Duration lets_out() const { return limits::kLetsOut; }

    // The session of that record, one of sessions(), is to end, and its client is told. Where this
    // node serves and is heard. Error: it cannot be ended here.
    [[nodiscard]] virtual Result<void> end(const wire::RecordKey& key, TimePoint now,
                                           Effects& effects);

    // It has other terms from now on, which are returned. Under the same conditions.
    [[nodiscard]] virtual Result<ppp::Terms> change(const wire::RecordKey& key,
                                                    const ppp::TermsChange& change, TimePoint now,
                                                    Effects& effects);

    // Of a session of PPP, by the payload of its record. nullopt: this keeper has no such sessions,
    // or this release cannot read the record.
    [[nodiscard]] virtual std::optional<ppp::SessionFacts> facts_of(ByteView) const {
        return std::nullopt;
    }

    // What carries its sessions of PPP, for a RADIUS server: Tunnel-Type (RFC 2868 3.1).
    [[nodiscard]] virtual std::uint32_t tunnel_type() const { return 0; }

    // Events of other families are none of its business.
    virtual void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) = 0;
    // A session that was taken over has ended; of a stock one its plugin tells.
    virtual void on_end(const wire::RecordKey&, EndCause, TimePoint) {}
    // What a session of one of them has used; the first time says that it has begun.
    virtual void on_usage(const Usage&, TimePoint, Effects&) {}
    // The session of that record is not over. A client that never says so may have gone silent.
    [[nodiscard]] virtual bool lives(const wire::RecordKey&, TimePoint) const { return true; }
    // A session was told to end, for that reason. What carries it may name another one at its end.
    virtual void on_end_ordered(const wire::RecordKey&, EndCause) {}
    virtual void on_time(TimePoint now, Effects& effects) = 0;
    [[nodiscard]] virtual std::optional<TimePoint> next_deadline() const = 0;

    // Fewer than `part.max`: there are no more.
    [[nodiscard]] virtual std::vector<SessionView> sessions(const ListPart&) const { return {}; }
    [[nodiscard]] virtual SessionTotals session_totals() const { return {}; }
    [[nodiscard]] virtual Counts counts() const = 0;
    [[nodiscard]] virtual Status status(TimePoint) const { return {}; }
};

// By which an operator names the session, at any node: 12 hexadecimal digits.
[[nodiscard]] std::string session_id(const wire::RecordKey& key);

// This release cannot apply the record: it is kept, and passed on.
void set_aside(Gateway& gateway, const replica::Install& wanted, const std::string& why,
               TimePoint now, Effects& effects);

// Why this node cannot apply a record.
using Refusals = std::map<wire::RecordKey, std::string>;

// What a keeper knows of a session whose record is in the store.
struct Known {
    bool is_resumed = false;       // By this node.
    std::string_view obstacle{};   // Of its record.
    std::string_view not_ready{};  // The reason where this node has not installed it.
};
// Sets the state and the reason of its view.
void show_state(SessionView& view, const replica::Replica& replica, const wire::RecordKey& key,
                const replica::StoredRecord& stored, const Refusals& refusals, const Known& known);

// The reason that is shown for a session with that obstacle in its record.
[[nodiscard]] std::string ends_with_node(std::string_view obstacle);

}  // namespace vpnha::keepers
