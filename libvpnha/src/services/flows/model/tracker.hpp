// SPDX-License-Identifier: GPL-2.0-or-later
// The promoted node's view of its kernel's flows: news in, changes of records out. Pure; existing
// records are read from the owner's replica, so that nothing is kept twice.
//
//   news \ flow     | held back            | published               | neither
//   ----------------+----------------------+-------------------------+----------------------
//   live            | newest state, same   | published, if it        | published, or held back
//                   | time                 | differs                 | for the delay (1)
//   ending          | newest state, same   | held back for 1 s       | held back for 1 s
//                   | time                 |                         | or the delay
//   over, ended     | forgotten            | erased                  | –
//   not worth it    | –                    | published (2)           | – (3)
//   another's mark  | forgotten            | erased                  | –
//
// (1) Looked up first when the event is not complete: the kernel names a parent, labels and
// adjustments only in the event that they belong to, and earlier events of the flow are
// filtered out. (2) Bits of a status are never taken back, so a published flow stays; if listed,
// it is erased, unless it has announced an expectation. (3) Except if it has announced one.
//
// When news was lost, the kernel's whole table is listed: from begin_listing()
// on listed flows are news like others. After the last one the owner erases
// its records for which is_listed() is false, some at a time if they are
// many, and calls end_listing(). News during the listing is newer than the
// list: a flow that is listed differently from its event is looked up again.
#pragma once

#include <tsl/robin_map.h>
#include <tsl/robin_set.h>

#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "services/flows/model/flow_record.hpp"
#include "services/flows/model/policy.hpp"

namespace vpnha::conntrack {

struct News {
    enum class Kind : std::uint8_t {
        changed,  // New or another state: fields that are left out have not changed.
        ended,
        listed,  // From the table: missing fields are not set. The timeout is what remains.
        found,   // The same for one flow that was looked up, so it is as new as any event.
    };
    Kind kind = Kind::changed;
    Flow flow;
    // The kernel's status has bits for fields that the event may have left out.
    bool expected = false;
    bool adjusted = false;
};

struct Decision {
    enum class Action : std::uint8_t {
        none,
        emit,   // `payload` is the record's newest.
        erase,  // Not held: nothing to do.
        look,   // Look this one flow up (News::Kind::found).
    };
    Action action = Action::none;
    FlowId id;
    FlowPayload payload;
};

class Tracker {
  public:
    // The payload that the replica holds of a flow; empty when it holds none.
    using Held = std::function<ByteView(const FlowId&)>;

    Tracker(Policy policy, Held held) : policy_(std::move(policy)), held_(std::move(held)) {}

    // An expectation makes its parent flow worth a record whatever its state.
    struct Announced {
        std::function<bool(const FlowKey&)> awaited;  // It gets a record as soon as it is listed.
        std::function<bool(const FlowKey&)> needed;   // It keeps its record.
    };
    void heed(Announced announced) { announced_ = std::move(announced); }

    [[nodiscard]] Decision on_news(const News& news, TimePoint now);
    // Flows that were held back long enough.
    [[nodiscard]] std::vector<Decision> on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    void begin_listing();
    [[nodiscard]] bool listing() const { return listing_.has_value(); }
    // Whether the flow was listed, or there was news of it, since the listing began.
    [[nodiscard]] bool is_listed(ByteView id) const;
    // Drops flows that are held back and were not listed.
    void end_listing();

    [[nodiscard]] std::size_t held_back() const { return held_back_.size(); }

  private:
    struct Waiting {
        Bytes payload;
        TimePoint due{};
    };
    struct Listing {
        // Hashes of 64 bits in place of 40 octets. Of a million flows two share one in 10^-7 of all
        // listings, and the next listing would find the one that ended.
        tsl::robin_set<std::uint64_t> seen;
        tsl::robin_set<std::uint64_t> ended;
        tsl::robin_set<std::uint64_t> changed;  // By an event, and not listed since.
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const Bytes& id) const { return of(id); }
        std::size_t operator()(ByteView id) const { return of(id); }
        static std::size_t of(ByteView id) {
            return std::hash<std::string_view>{}(
                {reinterpret_cast<const char*>(id.data()), id.size()});
        }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(ByteView a, ByteView b) const {
            return std::equal(a.begin(), a.end(), b.begin(), b.end());
        }
    };

    // Not the policy's: a flow whose mark has changed is over here.
    [[nodiscard]] Decision on_strange(const News& news, const FlowId& id);
    [[nodiscard]] Decision on_end(const FlowId& id);
    // The list may show an older state than an event that has arrived.
    [[nodiscard]] bool is_outdated(const News& news, const FlowId& id);
    // Its known payload: the one held back, or else the published one.
    [[nodiscard]] ByteView known(const FlowId& id) const;
    void merge(const News& news, ByteView known, const FlowId& id, Flow& flow) const;
    [[nodiscard]] bool is_incomplete(const News& news, const Flow& flow, bool first) const;
    void hold_back(const FlowId& id, const FlowPayload& payload, TimePoint due);

    Policy policy_;
    Held held_;
    Announced announced_{[](const FlowKey&) { return false; },
                         [](const FlowKey&) { return false; }};
    tsl::robin_map<Bytes, Waiting, Hash, Equal> held_back_;
    // Entries whose time is not that of held_back_ are void.
    std::multimap<TimePoint, FlowId> due_;
    std::optional<Listing> listing_;
};

}  // namespace vpnha::conntrack
