// SPDX-License-Identifier: GPL-2.0-or-later
// The replica as vpnhad runs it: wire format, epochs, digests, confirmations. In the place of the
// kernel is one that takes every session at once; the record is parsed for it.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/assert.hpp"
#include "cluster/replica/replica.hpp"
#include "cluster/wire/codec.hpp"
#include "hello.hpp"
#include "outbox.hpp"
#include "party.hpp"
#include "record_set.hpp"

namespace vpnha::bench {

namespace {

class ReplicaParty : public Party {
  public:
    ReplicaParty(adapters::QbLoop& loop, Hooks hooks, const RecordSet& records)
        : loop_(loop),
          hooks_(std::move(hooks)),
          records_(records),
          outbox_(loop, [this] { turn(); }) {}

    bool join() {
        auto joined = adapters::CorosyncGroup::join(
            loop_, "vpnha-bench",
            {[this](const std::set<NodeId>& members, bool quorate) {
                 on_members(members, quorate);
             },
             [this](NodeId sender, ByteView bytes) { on_message(sender, bytes); },
             {},
             hooks_.on_lost});
        if (!joined) {
            fmt::print(stderr, "group_bench: {}\n", joined.error().detail);
            return false;
        }
        group_ = std::move(*joined);
        outbox_.set_group(group_.get());
        replica_.emplace(kGateway, group_->self());
        return true;
    }

    void lead() override {
        take(replica_->begin_epoch(Epoch{1, group_->self()}, loop_.now()));
        settle();
    }

    [[nodiscard]] std::size_t room() const override {
        return outbox_.writable() ? kBurst - std::min(kBurst, replica_->dirty()) : 0;
    }

    [[nodiscard]] std::size_t waiting() const override { return replica_->dirty(); }

    void publish(std::uint32_t record, std::uint32_t generation) override {
        const bool room =
            replica_->publish(records_.key(record), records_.payload(record, generation));
        VPNHA_ASSERT(room);
    }

    void settle() override {
        if (outbox_.writable() && group_ != nullptr && members_.contains(group_->self())) {
            take(replica_->flush(loop_.now()));
            hello_.emit(*replica_, dialects_, outbox_);
        }
        arm_timer();
    }

    [[nodiscard]] bool confirmed(std::uint32_t record) const override {
        return replica_->is_protected(records_.key(record));
    }

    [[nodiscard]] bool all_confirmed() const override {
        const std::vector<NodeId> nodes = replica_->complete_standbys();
        if (!outbox_.writable() || replica_->dirty() != 0 || nodes.size() + 1 != members_.size()) {
            return false;
        }
        return std::all_of(nodes.begin(), nodes.end(), [&](NodeId node) {
            const replica::Coverage coverage = replica_->coverage(node);
            return coverage.known && coverage.missing == 0;
        });
    }

    [[nodiscard]] bool is_complete(NodeId standby) const override {
        const std::vector<NodeId> nodes = replica_->complete_standbys();
        return std::find(nodes.begin(), nodes.end(), standby) != nodes.end();
    }
    [[nodiscard]] bool is_complete() const override {
        return replica_->level() == wire::Level::complete;
    }
    [[nodiscard]] bool writer_left() const override {
        return replica_->epoch().number != 0 && !replica_->holder();
    }
    [[nodiscard]] Contents contents() const override {
        return {replica_->store().count(), replica_->store().digest()};
    }
    [[nodiscard]] std::uint64_t messages_sent() const override { return outbox_.messages(); }
    [[nodiscard]] std::uint64_t bytes_sent() const override { return outbox_.bytes(); }

  private:
    void on_members(const std::set<NodeId>& members, bool quorate) {
        members_ = members;
        hello_.forget();
        replica_->on_members(members, quorate, loop_.now());
        hooks_.on_members(members);
        turn();
    }

    void on_message(NodeId sender, ByteView bytes) {
        const Result<wire::Message> message = dialects_.parse(bytes);
        VPNHA_ASSERT(message.has_value());
        take(replica_->on_message(sender, *message, loop_.now()));
        turn();
    }

    void turn() {
        settle();
        hooks_.on_news();
    }

    void take(replica::Effects effects) {
        for (replica::Effect& effect : effects) {
            if (auto* send = std::get_if<replica::Send>(&effect)) {
                outbox_.send(dialects_.encode(send->message, dialects_.version_max()));
            } else if (auto* install = std::get_if<replica::Install>(&effect)) {
                replica_->on_installed(install->key, install->ticket,
                                       records_.is_readable(*install)
                                           ? replica::Outcome::installed
                                           : replica::Outcome::unreadable,
                                       loop_.now());
            }
        }
    }

    void arm_timer() {
        // While the group is blocked nothing is due: on_writable comes first.
        const std::optional<TimePoint> at =
            outbox_.writable() ? replica_->next_deadline() : std::nullopt;
        if (!at) {
            loop_.cancel_timer(kPartyTimer);
            return;
        }
        loop_.set_timer(kPartyTimer, std::max(*at, loop_.now() + kTurn), [this] { turn(); });
    }

    adapters::QbLoop& loop_;
    Hooks hooks_;
    const RecordSet& records_;
    Outbox outbox_;
    wire::Dialects dialects_;
    std::unique_ptr<adapters::CorosyncGroup> group_;
    std::optional<replica::Replica> replica_;
    std::set<NodeId> members_;
    HelloSayer hello_;
};

}  // namespace

std::unique_ptr<Party> join_replica(adapters::QbLoop& loop, Party::Hooks hooks,
                                    const RecordSet& records) {
    auto party = std::make_unique<ReplicaParty>(loop, std::move(hooks), records);
    return party->join() ? std::move(party) : nullptr;
}

}  // namespace vpnha::bench
