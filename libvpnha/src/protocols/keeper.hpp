// SPDX-License-Identifier: GPL-2.0-or-later
// A keeper handles one family of records of one gateway on one node. It brings them into this
// node's kernel while another node serves, and resumes them when this one does. Pure.
//
//   the gateway …            | a keeper
//   -------------------------+-----------------------------------------------------------------
//   is followed              | install(), remove(): the replica's records are in the kernel, hot
//   is promoted              | promote(): hot sessions are resumed
//   has no lease for a while | pause(): sends nothing; unpause(): continues
//   is demoted, superseded   | mute(): sends nothing more; the next holder resumes
//   is detached              | detach(): the kernel keeps nothing but live sessions
//
// If its records have numbers that nobody may use twice it is Counted as well, and is notified of
// the lease before the gate opens:
//
//   is granted               | warm(): continues beyond the numbers that others may have used
//   is handed over           | read(): the gate is shut, and a successor waits for the last numbers
//
// A record belongs to the keeper that has its type. The gateway keeps the other records.
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

// The usage of a session without a pppd since the last report: its keeper counts it.
struct Usage {
    wire::RecordKey session;
    std::string user;
    std::optional<Ipv4Address> address;  // The client's in the tunnel.
    IpAddress peer;                      // The client's outside, now.
    Traffic passed;                      // Without packets, if they are not counted.
    // The record under which the same session was reported before.
    std::optional<wire::RecordKey> replaces{};
    std::optional<Ipv6Address> address6{};  // Besides `address`, or alone.
    std::uint64_t began_unix_ms = 0;        // By the gateway's clock; 0: with this report.
};

// A keeper's view of its gateway.
class Gateway {
  public:
    [[nodiscard]] virtual GatewayId id() const = 0;
    [[nodiscard]] virtual replica::Replica& replica() = 0;
    [[nodiscard]] virtual const replica::Replica& replica() const = 0;
    // An agent has started it here.
    [[nodiscard]] virtual bool is_attached() const = 0;
    // This node is promoted, or draining.
    [[nodiscard]] virtual bool is_served() const = 0;
    // Its lease holds: peers receive what is sent.
    [[nodiscard]] virtual bool is_received() const = 0;
    // The clock for the ages of its sessions.
    [[nodiscard]] virtual const replica::GatewayClock& clock() const = 0;
    // Has the keepers install the replica's records that are missing in this node's kernel.
    virtual void install_missing(TimePoint now, Effects& effects) = 0;
    // A session that this node resumed has ended: notifies all keepers at once.
    virtual void report_end(const wire::RecordKey& session, EndCause cause, TimePoint now) = 0;
    // For a live session: notifies all keepers at once.
    virtual void report_usage(const Usage& usage, TimePoint now, Effects& effects) = 0;
    // Keeper::lives() of the keeper that has the type.
    [[nodiscard]] virtual bool lives(const wire::RecordKey& session, TimePoint now) const = 0;
    // Visits the replica's sessions of all protocols with PPP.
    using VisitSession = std::function<void(const wire::RecordKey&, const ppp::SessionFacts&)>;
    virtual void visit_ppp_sessions(const VisitSession& visit) const = 0;
    // Keeper::tunnel_type() of the keeper that has the type; 0: none does.
    [[nodiscard]] virtual std::uint32_t tunnel_type_of(wire::RecordType type) const = 0;
    // For the log: "gateway=l2tp epoch=3.1".
    [[nodiscard]] virtual std::string tag() const = 0;

  protected:
    ~Gateway() = default;
};

// The traffic of a session that has no device of its own.
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
    // Other networks of the client: its link-local address with IPv6CP, networks behind it.
    std::vector<std::string> networks{};
    std::optional<Passed> passed{};
    Rate rate{};
};

// A part of a list of sessions: at most `max`, with keys after `after`, in the order of their keys.
// A list of 100 000 takes longer than a lease, so it is read in parts.
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

// Numbers that nobody may use twice, such as those of ESP, GRE or MPPE. Records of the service
// `checkpoint` have them.
class Counted {
  public:
    // This node has been granted the lease. Before the gate opens, each number that it uses next is
    // beyond its record by `margin`. A later record within that margin does not change it.
    virtual void warm(const Margin& margin, TimePoint now, Effects& effects) = 0;
    [[nodiscard]] virtual bool is_warm() const = 0;
    // Where this node serves: reads the numbers now, and publishes changes.
    virtual void read(TimePoint now, Effects& effects) = 0;
    // All numbers as they were then, or later, have been published.
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

    // For a record of its types; the replica receives the result of the installation.
    virtual void install(const replica::Install& wanted, TimePoint now, Effects& effects) = 0;
    virtual void remove(const wire::RecordKey& key, Effects& effects) = 0;
    // The replica has become complete.
    virtual void on_in_sync(TimePoint now) = 0;
    // The replica has received members, confirmations or changes.
    virtual void on_replica(TimePoint now, Effects& effects) = 0;
    // After every event, before the replica sends what is due.
    virtual void follow(TimePoint now, Effects& effects) = 0;

    // The node has the gateway's addresses, and its gate opens next.
    virtual void on_addresses(Effects& /*effects*/) {}
    // The gate is open, and the neighbours know the node. Called before promote(): where this node
    // stands in, earlier by the time that the group takes to form.
    virtual void on_open(TimePoint /*now*/, Effects& /*effects*/) {}
    virtual void promote(TimePoint now, Effects& effects) = 0;
    virtual void pause(Effects& effects) = 0;
    virtual void unpause(TimePoint now, Effects& effects) = 0;  // Also without pause() before it.
    virtual void mute(Effects& effects) = 0;
    virtual void detach(Effects& effects) = 0;
    // The daemons that promote() or mute() turn have changed their role.
    [[nodiscard]] virtual bool has_turned() const { return true; }
    // Packets for the gateway's sessions are accepted: by the kernel at once, by a data path as
    // soon as it has carried out promote().
    [[nodiscard]] virtual bool takes_packets() const { return true; }

    // Packets within the old node leave it in that time when it gives the gateway up.
    [[nodiscard]] virtual Duration lets_out() const { return limits::kLetsOut; }

    // Ends the session of that record, one of sessions(), and notifies its client. Called where
    // this node serves and has the lease. Error: it cannot be ended here.
    [[nodiscard]] virtual Result<void> end(const wire::RecordKey& key, TimePoint now,
                                           Effects& effects);

    // Changes its terms, and returns the new ones. Under the same conditions.
    [[nodiscard]] virtual Result<ppp::Terms> change(const wire::RecordKey& key,
                                                    const ppp::TermsChange& change, TimePoint now,
                                                    Effects& effects);

    // For a session of PPP, by the payload of its record. nullopt: this keeper has no such
    // sessions, or this release cannot read the record.
    [[nodiscard]] virtual std::optional<ppp::SessionFacts> facts_of(ByteView) const {
        return std::nullopt;
    }

    // The carrier of its PPP sessions, for a RADIUS server: Tunnel-Type (RFC 2868 3.1).
    [[nodiscard]] virtual std::uint32_t tunnel_type() const { return 0; }

    // Ignores events of other families.
    virtual void on_event(const effects::KeeperEvent& event, TimePoint now, Effects& effects) = 0;
    // A resumed session has ended; the plugin reports the end of a stock one.
    virtual void on_end(const wire::RecordKey&, EndCause, TimePoint) {}
    // The usage of a session of another keeper; the first report also means that it has begun.
    virtual void on_usage(const Usage&, TimePoint, Effects&) {}
    // The session of that record is not over. A client that sends no end may have gone silent.
    [[nodiscard]] virtual bool lives(const wire::RecordKey&, TimePoint) const { return true; }
    // A session was ordered to end, for that reason. Its carrier may report another one at its end.
    virtual void on_end_ordered(const wire::RecordKey&, EndCause) {}
    virtual void on_time(TimePoint now, Effects& effects) = 0;
    [[nodiscard]] virtual std::optional<TimePoint> next_deadline() const = 0;

    // Fewer than `part.max`: there are no more.
    [[nodiscard]] virtual std::vector<SessionView> sessions(const ListPart&) const { return {}; }
    [[nodiscard]] virtual SessionTotals session_totals() const { return {}; }
    [[nodiscard]] virtual Counts counts() const = 0;
    [[nodiscard]] virtual Status status(TimePoint) const { return {}; }
};

// The operator's name of the session, at any node: 12 hexadecimal digits.
[[nodiscard]] std::string session_id(const wire::RecordKey& key);

// This release cannot apply the record: it is kept, and passed on.
void set_aside(Gateway& gateway, const replica::Install& wanted, const std::string& why,
               TimePoint now, Effects& effects);

// Why this node cannot apply a record.
using Refusals = std::map<wire::RecordKey, std::string>;

// The keeper's state of a session whose record is in the store.
struct Known {
    bool is_resumed = false;       // By this node.
    std::string_view obstacle{};   // Of its record.
    std::string_view not_ready{};  // The reason why this node has not installed it.
};
// Sets the state and the reason of its view.
void show_state(SessionView& view, const replica::Replica& replica, const wire::RecordKey& key,
                const replica::StoredRecord& stored, const Refusals& refusals, const Known& known);

// The reason that is shown for a session with that obstacle in its record.
[[nodiscard]] std::string ends_with_node(std::string_view obstacle);

}  // namespace vpnha::keepers
