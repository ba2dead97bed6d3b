// SPDX-License-Identifier: GPL-2.0-or-later
// A family of records that only a later release knows. Who knows it and is promoted writes two
// records, and erases what was written half a dozen epochs ago; all others keep what there is.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "protocols/families.hpp"

namespace vpnha::sim {

inline constexpr auto kLaterType = static_cast<wire::RecordType>(0x42);

class LaterFamily final : public keepers::Keeper {
  public:
    explicit LaterFamily(keepers::Gateway& gateway) : gateway_(gateway) {}

    [[nodiscard]] static std::vector<keepers::Make> all_families() {
        std::vector<keepers::Make> all(keepers::families().begin(), keepers::families().end());
        all.push_back([](keepers::Gateway& gateway,
                         const keepers::Settings&) -> std::unique_ptr<keepers::Keeper> {
            return std::make_unique<LaterFamily>(gateway);
        });
        return all;
    }

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }
    void install(const replica::Install& wanted, TimePoint now, effects::Effects&) override {
        gateway_.replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed,
                                        now);
    }
    void remove(const wire::RecordKey&, effects::Effects&) override {}
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint, effects::Effects&) override {}
    void follow(TimePoint now, effects::Effects&) override {
        const replica::Replica& replica = gateway_.replica();
        if (replica.promoted() && written_ != replica.epoch()) {
            written_ = replica.epoch();
            erase_old(now);
            publish(0);
            publish(1);
        }
    }
    void promote(TimePoint, effects::Effects&) override {}
    void pause(effects::Effects&) override {}
    void unpause(TimePoint, effects::Effects&) override {}
    void mute(effects::Effects&) override {}
    void detach(effects::Effects&) override {}
    void on_event(const effects::KeeperEvent&, TimePoint, effects::Effects&) override {}
    void on_time(TimePoint, effects::Effects&) override {}
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override { return std::nullopt; }
    [[nodiscard]] keepers::Counts counts() const override { return {}; }

  private:
    static constexpr std::array kTypes{kLaterType};
    static constexpr std::uint64_t kEpochsMax = 6;

    void publish(std::uint8_t number) {
        ByteWriter id;
        id.u64(written_.number).u8(number);
        // One of them is larger than a session may be.
        const Bytes payload(number == 0 ? 8 : 4000, number);
        gateway_.replica().publish({kLaterType, wire::RecordId(id.view())}, payload);
    }
    void erase_old(TimePoint now) {
        std::vector<wire::RecordKey> old;
        for (const auto& [key, stored] : gateway_.replica().store().all(kLaterType)) {
            if (ByteReader(key.id.view()).u64() + kEpochsMax < written_.number) {
                old.push_back(key);
            }
        }
        for (const wire::RecordKey& key : old) {
            gateway_.replica().erase(key, now);
        }
    }

    keepers::Gateway& gateway_;
    Epoch written_;
};

}  // namespace vpnha::sim
