// SPDX-License-Identifier: GPL-2.0-or-later
// The synchronisation that one would write by hand, for comparison: each change is a message of its
// own (as strongSwan's ha plugin sends them), the record's bytes are copied into a hash map, and a
// standby acknowledges once a turn how many it has seen. It has no epochs, snapshots, digests or
// quarantine, and a member that joins late never learns what was said before.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <unordered_map>

#include "base/limits.hpp"
#include "outbox.hpp"
#include "party.hpp"
#include "session_records.hpp"

namespace vpnha::bench {

namespace {

enum class Kind : std::uint8_t { lead = 0, change = 1, acknowledged = 2 };

class PlainParty : public Party {
  public:
    PlainParty(adapters::QbLoop& loop, Hooks hooks)
        : loop_(loop), hooks_(std::move(hooks)), outbox_(loop, [this] { hooks_.on_news(); }) {}

    bool join() {
        auto joined = adapters::CorosyncGroup::join(
            loop_, "plain-bench",
            {[this](const std::set<NodeId>& members, bool) { on_members(members); },
             [this](NodeId sender, ByteView bytes) { on_message(sender, bytes); },
             {},
             hooks_.on_lost});
        if (!joined) {
            fmt::print(stderr, "group_bench: {}\n", joined.error().detail);
            return false;
        }
        group_ = std::move(*joined);
        outbox_.set_group(group_.get());
        return true;
    }

    void lead() override {
        writer_ = group_->self();
        outbox_.send({static_cast<std::uint8_t>(Kind::lead)});
    }

    // Corosync takes small messages without end and is then busy with them for seconds, so not more
    // are on their way than the replica would have changes.
    [[nodiscard]] std::size_t room() const override {
        std::uint64_t seen_by_all = acknowledged_.empty() ? 0 : emitted_;
        for (const auto& [node, seen] : acknowledged_) {
            seen_by_all = std::min(seen_by_all, seen);
        }
        return outbox_.writable() ? kBurst - std::min<std::size_t>(kBurst, emitted_ - seen_by_all)
                                  : 0;
    }

    [[nodiscard]] std::size_t waiting() const override { return 0; }

    void publish(std::uint32_t record, std::uint32_t generation) override {
        const Bytes key = l2tp::encode_key(session_key(record));
        const Bytes payload = l2tp::encode_record(session_record(record, generation));
        ByteWriter out;
        out.u8(static_cast<std::uint8_t>(Kind::change)).prefixed(key).prefixed(payload);
        records_[to_text(key)] = payload;
        emitted_at_[record] = ++emitted_;
        outbox_.send(std::move(out).take());
    }

    void settle() override {}

    [[nodiscard]] bool confirmed(std::uint32_t record) const override {
        const auto emitted = emitted_at_.find(record);
        return std::any_of(acknowledged_.begin(), acknowledged_.end(), [&](const auto& standby) {
            return emitted != emitted_at_.end() && standby.second >= emitted->second;
        });
    }

    [[nodiscard]] bool all_confirmed() const override {
        return outbox_.writable() && acknowledged_.size() + 1 == members_.size() &&
               std::all_of(acknowledged_.begin(), acknowledged_.end(),
                           [&](const auto& standby) { return standby.second == emitted_; });
    }

    [[nodiscard]] bool is_complete(NodeId standby) const override {
        return acknowledged_.contains(standby);
    }
    [[nodiscard]] bool is_complete() const override { return false; }  // It cannot tell.
    [[nodiscard]] bool writer_left() const override {
        return writer_.value != 0 && !members_.contains(writer_);
    }
    [[nodiscard]] Contents contents() const override { return {records_.size(), 0}; }
    [[nodiscard]] std::uint64_t messages_sent() const override { return outbox_.messages(); }
    [[nodiscard]] std::uint64_t bytes_sent() const override { return outbox_.bytes(); }

  private:
    void on_members(const std::set<NodeId>& members) {
        members_ = members;
        hooks_.on_members(members);
        hooks_.on_news();
    }

    void on_message(NodeId sender, ByteView bytes) {
        ByteReader in(bytes);
        const auto kind = static_cast<Kind>(in.u8());
        if (sender == group_->self()) {
            return;
        }
        if (kind == Kind::acknowledged) {
            acknowledged_[sender] = in.u64();
            hooks_.on_news();
            return;
        }
        writer_ = sender;
        if (kind == Kind::change) {
            const ByteView key = in.take_prefixed(limits::kRecordIdBytesMax);
            const ByteView payload = in.take_prefixed(limits::kRecordPayloadBytesMax);
            Bytes& held = records_[to_text(key)];
            held.resize(payload.size());
            std::memcpy(held.data(), payload.data(), payload.size());
            ++seen_;
        }
        loop_.set_timer(kPartyTimer, loop_.now(), [this] { acknowledge(); });
    }

    // After the messages that came in one turn of the loop.
    void acknowledge() {
        if (!outbox_.writable()) {
            loop_.set_timer(kPartyTimer, loop_.now() + kTurn, [this] { acknowledge(); });
            return;
        }
        ByteWriter out;
        out.u8(static_cast<std::uint8_t>(Kind::acknowledged)).u64(seen_);
        outbox_.send(std::move(out).take());
    }

    adapters::QbLoop& loop_;
    Hooks hooks_;
    Outbox outbox_;
    std::unique_ptr<adapters::CorosyncGroup> group_;
    std::set<NodeId> members_;
    NodeId writer_{};
    std::unordered_map<std::string, Bytes> records_;
    std::unordered_map<std::uint32_t, std::uint64_t> emitted_at_;
    std::uint64_t emitted_ = 0;
    std::uint64_t seen_ = 0;
    std::map<NodeId, std::uint64_t> acknowledged_;
};

}  // namespace

std::unique_ptr<Party> join_plain(adapters::QbLoop& loop, Party::Hooks hooks) {
    auto party = std::make_unique<PlainParty>(loop, std::move(hooks));
    return party->join() ? std::move(party) : nullptr;
}

}  // namespace vpnha::bench
