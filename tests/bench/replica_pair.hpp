// SPDX-License-Identifier: GPL-2.0-or-later
// Two replicas of one gateway in one process, one promoted, one following, and the wire between
// them: every message is encoded once and parsed by each, as CPG delivers it to its sender too.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "base/assert.hpp"
#include "cluster/replica/replica.hpp"
#include "cluster/wire/codec.hpp"
#include "session_records.hpp"

namespace vpnha::bench {

inline constexpr NodeId kPromoted{1};
inline constexpr NodeId kFollower{2};

class ReplicaPair {
  public:
    ReplicaPair() {
        const std::set<NodeId> members{kPromoted, kFollower};
        promoted.on_members(members, true, now);
        follower.on_members(members, true, now);
        carry(promoted, promoted.begin_epoch(Epoch{1, kPromoted}, now));
    }

    // Holds `count` records, confirmed.
    explicit ReplicaPair(std::uint32_t count) : ReplicaPair() {
        for (std::uint32_t number = 0; number < count; ++number) {
            publish(number, 0);
        }
        settle();
        VPNHA_ASSERT(count == 0 || promoted.is_protected(record_key(count - 1)));
    }

    void publish(std::uint32_t number, std::uint32_t generation) {
        const bool room = promoted.publish(record_key(number),
                                           l2tp::encode_record(session_record(number, generation)));
        VPNHA_ASSERT(room);
    }

    // Until neither has anything to say.
    void settle() {
        bool busy = true;
        while (busy) {
            busy = carry(promoted, promoted.flush(now));
            busy = carry(follower, follower.flush(now)) || busy;
        }
    }

    // What one says reaches both; true when it said something.
    bool carry(replica::Replica& from, const replica::Effects& effects) {
        bool emitted = false;
        const NodeId sender = &from == &promoted ? kPromoted : kFollower;
        for (const replica::Effect& effect : effects) {
            if (const auto* send = std::get_if<replica::Send>(&effect)) {
                emitted = true;
                deliver(sender, dialects.encode(send->message, dialects.version_max()));
            }
        }
        return emitted;
    }

    void deliver(NodeId sender, const Bytes& bytes) {
        for (replica::Replica* to : {&promoted, &follower}) {
            const Result<wire::Message> message = dialects.parse(bytes);
            VPNHA_ASSERT(message.has_value());
            install(*to, to->on_message(sender, *message, now));
        }
    }

    // The kernel takes every session at once.
    void install(replica::Replica& at, const replica::Effects& effects) {
        for (const replica::Effect& effect : effects) {
            if (const auto* wanted = std::get_if<replica::Install>(&effect)) {
                VPNHA_ASSERT(l2tp::parse_record(wanted->payload).has_value());
                at.on_installed(wanted->key, wanted->ticket, replica::Outcome::installed, now);
            }
        }
    }

    TimePoint now{std::chrono::hours(1)};
    wire::Dialects dialects;
    replica::Replica promoted{kGateway, kPromoted};
    replica::Replica follower{kGateway, kFollower};
};

}  // namespace vpnha::bench
