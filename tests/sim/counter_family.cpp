// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/counter_family.hpp"

namespace vpnha::sim {

namespace {

constexpr std::size_t kSasMax = 3;
constexpr Duration kReadEach = std::chrono::milliseconds(500);
// A complete replica may be that old that its holder's lease is all that ends it: longer than a
// run.
constexpr keepers::NumberUse kUse{std::chrono::seconds(1) / kPerNumber, 10'000'000};

// Two nodes may be granted epochs of one number, when neither had heard of the other's.
SaNumber made_in(const Epoch& epoch) {
    return epoch.number << 8 | epoch.node.value;
}

wire::RecordKey record_of(SaNumber sa) {
    ByteWriter id;
    id.u64(sa);
    return {wire::RecordType::esp_counters, wire::RecordId(id.view())};
}

}  // namespace

void CounterFamily::warm(const keepers::Margin& margin, TimePoint now, effects::Effects&) {
    margin_ = margin;
    warming_ = Asked{now, now + kernel_.number_delay()};
    set_all(now);
}

void CounterFamily::set_all(TimePoint now) {
    if (!warming_ || now < warming_->answered_at) {
        return;
    }
    warming_.reset();
    kernel_.on_warm(gateway_.id(), margin_);
    for (const auto& [key, stored] :
         gateway_.replica().store().all(wire::RecordType::esp_counters)) {
        const std::uint64_t value = ByteReader(stored.payload).u64();
        const SaNumber sa = ByteReader(key.id.view()).u64();
        kernel_.set_number(gateway_.id(), sa,
                           value + margin_.beyond({stored.version.epoch, value, sa >> 8}, kUse));
    }
}

void CounterFamily::read(TimePoint now, effects::Effects&) {
    reading_ = Asked{now, now + kernel_.number_delay()};
    if (now >= reading_->answered_at) {
        publish_all();
    }
}

void CounterFamily::publish_all() {
    const TimePoint asked_at = reading_->at;
    reading_.reset();
    if (!gateway_.replica().promoted()) {
        return;
    }
    for (const auto& [sa, next] : kernel_.read_numbers(gateway_.id())) {
        ByteWriter payload;
        payload.u64(next);
        gateway_.replica().publish(record_of(sa), payload.view());
    }
    read_at_ = asked_at;
}

void CounterFamily::promote(TimePoint now, effects::Effects& effects) {
    if (gateway_.replica().store().size_of(wire::RecordType::esp_counters) < kSasMax) {
        kernel_.set_number(gateway_.id(), made_in(gateway_.replica().epoch()), 0);
    }
    read_again_at_ = now + kReadEach;
    read(now, effects);
}

void CounterFamily::mute(effects::Effects&) {
    warming_.reset();
    reading_.reset();
    read_again_at_.reset();
    kernel_.drop_numbers(gateway_.id());
}

void CounterFamily::on_time(TimePoint now, effects::Effects& effects) {
    set_all(now);
    if (reading_ && now >= reading_->answered_at) {
        publish_all();
    }
    if (read_again_at_ && now >= *read_again_at_) {
        read_again_at_ = now + kReadEach;
        if (!reading_) {
            read(now, effects);
        }
    }
}

std::optional<TimePoint> CounterFamily::next_deadline() const {
    std::optional<TimePoint> at = read_again_at_;
    for (const std::optional<Asked>& asked : {warming_, reading_}) {
        at = asked ? earliest(at, asked->answered_at) : at;
    }
    return at;
}

}  // namespace vpnha::sim
