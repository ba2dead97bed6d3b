// SPDX-License-Identifier: GPL-2.0-or-later
// The backend of rates: sets the rate of each session on its device here, in the order of the
// keepers' requests. In slices: a standby that joins installs thousands of sessions, and the loop
// has leases to renew.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "host/os/qb_loop.hpp"
#include "protocols/backend.hpp"
#include "services/bandwidth/backend/limiter.hpp"
#include "services/bandwidth/work.hpp"

namespace vpnha::runtime {

class Bandwidth final : public ports::Backend {
  public:
    // The interface of a session on this node; empty: it has gone meanwhile.
    using InterfaceOf = std::function<std::string(const wire::RecordKey&)>;

    // The loop must outlive it.
    Bandwidth(adapters::QbLoop& loop, InterfaceOf interface_of,
              std::unique_ptr<ports::Limiter> limiter)
        : loop_(loop), interface_of_(std::move(interface_of)), limiter_(std::move(limiter)) {}
    ~Bandwidth() override;
    Bandwidth(const Bandwidth&) = delete;
    Bandwidth& operator=(const Bandwidth&) = delete;

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;
    [[nodiscard]] Status status() const override;

  private:
    struct Limited {
        std::uint32_t device = 0;
        Rate rate;
        std::uint16_t mtu = 0;
        friend bool operator==(const Limited&, const Limited&) = default;
    };

    // 0: it is gone.
    [[nodiscard]] std::uint32_t device_of(const bandwidth::SetRate& work) const;
    void carry_out(const bandwidth::SetRate& work);
    void carry_out(const bandwidth::RemoveRate& work);
    // Another session may have the device by now.
    void leave(const wire::RecordKey& session);
    void complain(const wire::RecordKey& session, const Error& error);
    void schedule();
    void work_slice();

    adapters::QbLoop& loop_;
    InterfaceOf interface_of_;
    std::unique_ptr<ports::Limiter> limiter_;
    std::deque<bandwidth::BandwidthWork> waiting_;
    std::map<wire::RecordKey, Limited> limited_;
    std::map<std::uint32_t, wire::RecordKey> sessions_;  // By device.
    std::uint64_t failed_ = 0;
    std::optional<TimePoint> complain_from_;  // When the next failure is logged.
};

}  // namespace vpnha::runtime
