// SPDX-License-Identifier: GPL-2.0-or-later
// One member of the group under measurement: either the replica of this project, or the plain
// synchronisation that one would write by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>

#include "base/ids.hpp"
#include "host/os/qb_loop.hpp"
#include "record_set.hpp"

namespace vpnha::bench {

// Updates that may wait to be said: what limits::kUpdatesOnTheirWay messages hold, and as much
// again.
inline constexpr std::size_t kBurst = 4000;

// What a member holds. The plain party has no digest: 0.
struct Contents {
    std::size_t records = 0;
    std::uint64_t digest = 0;
};

class Party {
  public:
    struct Hooks {
        std::function<void()>
            on_news;  // Somebody said something, or the group takes messages again.
        std::function<void(const std::set<NodeId>&)> on_members;
        std::function<void()> on_lost;
    };

    virtual ~Party() = default;

    // From here on this member is the only writer.
    virtual void lead() = 0;
    // Updates that may be published now.
    [[nodiscard]] virtual std::size_t room() const = 0;
    // Updates published and not yet said.
    [[nodiscard]] virtual std::size_t waiting() const = 0;
    virtual void publish(std::uint32_t record, std::uint32_t generation) = 0;
    // Says what was published.
    virtual void settle() = 0;

    // A standby holds what was published last of this record.
    [[nodiscard]] virtual bool confirmed(std::uint32_t record) const = 0;
    // Every standby holds everything.
    [[nodiscard]] virtual bool all_confirmed() const = 0;
    // That standby has said that it is complete.
    [[nodiscard]] virtual bool is_complete(NodeId standby) const = 0;
    // This standby itself is.
    [[nodiscard]] virtual bool is_complete() const = 0;
    [[nodiscard]] virtual bool writer_left() const = 0;
    [[nodiscard]] virtual Contents contents() const = 0;
    [[nodiscard]] virtual std::uint64_t messages_sent() const = 0;
    [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;
};

// Both join the group; nullptr, with a line on stderr, when that fails. `records` must outlive the
// party; the plain one holds sessions.
[[nodiscard]] std::unique_ptr<Party> join_replica(adapters::QbLoop& loop, Party::Hooks hooks,
                                                  const RecordSet& records);
[[nodiscard]] std::unique_ptr<Party> join_plain(adapters::QbLoop& loop, Party::Hooks hooks);

}  // namespace vpnha::bench
