// SPDX-License-Identifier: GPL-2.0-or-later
// A family of counters, in the place of those of ESP: up to three SAs of a gateway, each with a
// record of the number that it uses next. Its machine reads and sets them, at once or later.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "protocols/families.hpp"
#include "sim/numbers.hpp"

namespace vpnha::sim {

// What it needs of its machine.
class NumberKernel {
  public:
    [[nodiscard]] virtual std::map<SaNumber, std::uint64_t> read_numbers(GatewayId gateway) = 0;
    virtual void set_number(GatewayId gateway, SaNumber sa, std::uint64_t next) = 0;
    virtual void drop_numbers(GatewayId gateway) = 0;
    // How long it takes to answer, this time.
    [[nodiscard]] virtual Duration number_delay() = 0;
    // One grant's counters are to be warm.
    virtual void on_warm(GatewayId gateway, const keepers::Margin& margin) = 0;

  protected:
    ~NumberKernel() = default;
};

class CounterFamily final : public keepers::Keeper, public keepers::Counted {
  public:
    CounterFamily(keepers::Gateway& gateway, NumberKernel& kernel)
        : gateway_(gateway), kernel_(kernel) {}

    // Of the machine that starts: a keeper is made of nothing but its gateway and its settings.
    inline static NumberKernel* starting = nullptr;
    [[nodiscard]] static std::unique_ptr<keepers::Keeper> make(keepers::Gateway& gateway,
                                                               const keepers::Settings&) {
        return std::make_unique<CounterFamily>(gateway, *starting);
    }

    [[nodiscard]] std::span<const wire::RecordType> types() const override { return kTypes; }
    [[nodiscard]] keepers::Counted* counted() override { return this; }

    void warm(const keepers::Margin& margin, TimePoint now, effects::Effects& effects) override;
    [[nodiscard]] bool is_warm() const override { return !warming_; }
    void read(TimePoint now, effects::Effects& effects) override;
    [[nodiscard]] TimePoint read_at() const override { return read_at_; }

    void install(const replica::Install& wanted, TimePoint now, effects::Effects&) override {
        gateway_.replica().on_installed(wanted.key, wanted.ticket, replica::Outcome::installed,
                                        now);
    }
    void remove(const wire::RecordKey&, effects::Effects&) override {}
    void on_in_sync(TimePoint) override {}
    void on_replica(TimePoint, effects::Effects&) override {}
    void follow(TimePoint, effects::Effects&) override {}
    void promote(TimePoint now, effects::Effects& effects) override;
    void pause(effects::Effects&) override {}
    void unpause(TimePoint, effects::Effects&) override {}
    void mute(effects::Effects&) override;
    void detach(effects::Effects& effects) override { mute(effects); }
    void on_event(const effects::KeeperEvent&, TimePoint, effects::Effects&) override {}
    void on_time(TimePoint now, effects::Effects& effects) override;
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override;
    [[nodiscard]] keepers::Counts counts() const override { return {}; }

  private:
    static constexpr std::array kTypes{wire::RecordType::esp_counters};
    struct Asked {
        TimePoint at{};
        TimePoint answered_at{};
    };

    void set_all(TimePoint now);
    void publish_all();

    keepers::Gateway& gateway_;
    NumberKernel& kernel_;
    keepers::Margin margin_;
    std::optional<Asked> warming_;
    std::optional<Asked> reading_;
    TimePoint read_at_{};
    std::optional<TimePoint> read_again_at_;
};

}  // namespace vpnha::sim
