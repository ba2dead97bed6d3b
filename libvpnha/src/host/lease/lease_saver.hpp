// SPDX-License-Identifier: GPL-2.0-or-later
// Saves the lease's memory (lease_files.hpp) beside vpnhad's loop (save_thread.hpp).
//
//   LeaseSaver saver(loop, std::move(files));
//   saver.save(gateway, durable, ticket, [](const Result<void>& saved) { ... });
#pragma once

#include <cstdint>
#include <memory>

#include "host/lease/lease_files.hpp"
#include "host/lease/save_thread.hpp"
#include "host/os/qb_loop.hpp"
#include "ports/leases.hpp"

namespace vpnha::adapters {

class LeaseSaver final : public ports::Leases {
  public:
    // The loop must outlive it. Error: no thread is available.
    [[nodiscard]] static Result<std::unique_ptr<LeaseSaver>> start(QbLoop& loop, LeaseFiles files);
    // Pending saves are written first: it lasts as long as the disk takes for that.
    ~LeaseSaver() override;
    LeaseSaver(const LeaseSaver&) = delete;
    LeaseSaver& operator=(const LeaseSaver&) = delete;

    void save(GatewayId gateway, lease::Durable durable, std::uint64_t ticket, Done done) override;

  private:
    LeaseSaver(QbLoop& loop, LeaseFiles files, std::unique_ptr<SaveThread> thread);

    QbLoop& loop_;
    LeaseFiles files_;  // Used by the thread.
    std::unique_ptr<SaveThread> thread_;
};

}  // namespace vpnha::adapters
