// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/lease/witness.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::lease {

namespace {

// More would cost the nodes counters: each unused number counts as a holder's time.
constexpr std::uint64_t kAhead = 2;
constexpr Duration kSettled = std::chrono::seconds(10);
// A disk that refuses saves is found before a takeover needs it.
constexpr Duration kProbe = std::chrono::seconds(60);
constexpr Duration kProbeFailed = std::chrono::seconds(1);
// For a disk that hangs: the oldest answers are useless by then.
constexpr std::size_t kWaitingMax = 64;
constexpr std::size_t kUnsavedMax = 64;

// Above any grant that the file permits.
Epoch nobody_above(const Durable& durable) {
    return {durable.granted.number + kAhead + 1, NodeId{}};
}

std::optional<Durable> remembered(const std::optional<Witness::File>& file) {
    if (!file) {
        return std::nullopt;
    }
    Durable durable = file->durable;
    // By a list without a version it has never voted: no node has one with a witness.
    if (file->ahead && durable.voters.newest().has_version()) {
        durable.granted = nobody_above(durable);
        durable.elsewhere = durable.granted;
    }
    return durable;
}

}  // namespace

Witness::Witness(const Sender& self, const Timing& timing, const std::optional<File>& file,
                 TimePoint now)
    : engine_({self, timing, {self.node}}, remembered(file), now),
      on_disk_(file),
      newest_(remembered(file).value_or(Durable{})) {
    VPNHA_ASSERT(is_witness(self.node));
    if (file) {
        save_at_ = file->ahead ? now + kSettled : now;
    }
}

void Witness::note_sender(NodeId node, Orders& orders, TimePoint now) {
    const bool is_new = std::erase(received_, node) == 0;
    received_.push_back(node);
    if (!is_new) {
        return;
    }
    if (received_.size() > kNodesBesideWitness) {
        received_.erase(received_.begin());
    }
    std::vector<NodeId> voters = received_;
    voters.push_back(kWitness);
    std::sort(voters.begin(), voters.end());
    take(engine_.configure(voters, now), orders);
}

Witness::Orders Witness::on_message(const Sender& sender, const Message& message, TimePoint now) {
    Orders orders;
    if (!is_witness(sender.node) && unsaved_.size() < kUnsavedMax) {
        note_sender(sender.node, orders, now);
        take(engine_.on_message(sender, message, now), orders);
    }
    return orders;
}

Witness::Orders Witness::on_time(TimePoint now) {
    Orders orders;
    take(engine_.on_time(now), orders);
    if (save_at_ && now >= *save_at_) {
        save_at_.reset();
        // A pending save shows the same.
        if (unsaved_.empty()) {
            save(orders);
        }
    }
    return orders;
}

std::optional<TimePoint> Witness::next_deadline() const {
    return earliest(save_at_, engine_.next_deadline());
}

void Witness::take(Effects&& effects, Orders& orders) {
    for (Effect& effect : effects) {
        if (auto* const durable = std::get_if<SaveDurable>(&effect)) {
            newest_ = std::move(durable->durable);
            save(orders);
        } else if (auto* const send = std::get_if<Send>(&effect)) {
            if (is_covered()) {
                orders.sends.push_back(std::move(*send));
            } else {
                if (waiting_.size() == kWaitingMax) {
                    waiting_.pop_front();
                }
                waiting_.push_back({tickets_, std::move(*send)});
            }
        }
    }
}

void Witness::save(Orders& orders) {
    const File file{newest_, true};
    orders.saves.push_back({file, ++tickets_});
    unsaved_.push_back({tickets_, file});
}

std::optional<Witness::File> Witness::last_file() const {
    const bool is_blank = !on_disk_ && newest_ == Durable{};
    return is_blank ? std::nullopt : std::optional(File{newest_, false});
}

bool Witness::is_covered() const {
    if (!on_disk_) {
        return newest_ == Durable{};
    }
    const Durable& disk = on_disk_->durable;
    const bool granted =
        on_disk_->ahead ? newest_.granted <= nobody_above(disk) : newest_.granted == disk.granted;
    return granted && newest_.ordered == disk.ordered && newest_.marks == disk.marks &&
           newest_.voters == disk.voters;
}

Witness::Orders Witness::on_saved(std::uint64_t ticket, bool succeeded, TimePoint now) {
    Orders orders;
    while (!unsaved_.empty() && unsaved_.front().ticket <= ticket) {
        if (succeeded) {
            on_disk_ = std::move(unsaved_.front().file);
        }
        unsaved_.pop_front();
    }
    save_at_ = now + (succeeded ? kProbe : kProbeFailed);
    if (!succeeded) {
        // No message that depends on it was sent. The next event saves it again.
        waiting_.clear();
        const std::optional<Durable> disk =
            on_disk_ ? std::optional(on_disk_->durable) : std::nullopt;
        engine_.on_not_saved(disk, false, now);
    }
    while (!waiting_.empty() && waiting_.front().ticket <= ticket) {
        orders.sends.push_back(std::move(waiting_.front().send));
        waiting_.pop_front();
    }
    Epoch granted;
    if (on_disk_ && on_disk_->ahead) {
        granted = {on_disk_->durable.granted.number + kAhead,
                   NodeId{std::numeric_limits<std::uint32_t>::max()}};
    } else if (on_disk_) {
        granted = on_disk_->durable.granted;
    }
    engine_.set_saves(succeeded, granted);
    return orders;
}

}  // namespace vpnha::lease
