// SPDX-License-Identifier: GPL-2.0-or-later
// Saves what the lease must remember (lease_files.hpp) in a thread of its own, one save after the
// other: a disk that is slow, or stands still, holds up nobody's lease but that which waits for it.
//
//   LeaseSaver saver(loop, std::move(files));
//   saver.save(gateway, durable, ticket, [](const Result<void>& saved) { ... });
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "adapters/lease/lease_files.hpp"
#include "adapters/os/qb_loop.hpp"
#include "adapters/os/unique_fd.hpp"
#include "ports/leases.hpp"

namespace vpnha::adapters {

class LeaseSaver final : public ports::Leases {
  public:
    // The loop must outlive it. Error: there is no thread to be had.
    [[nodiscard]] static Result<std::unique_ptr<LeaseSaver>> start(QbLoop& loop, LeaseFiles files);
    // What waits is written first: it lasts as long as the disk takes for it.
    ~LeaseSaver() override;
    LeaseSaver(const LeaseSaver&) = delete;
    LeaseSaver& operator=(const LeaseSaver&) = delete;

    void save(GatewayId gateway, lease::Durable durable, std::uint64_t ticket, Done done) override;

  private:
    struct Lease {
        lease::Durable durable;
        Done done;
    };
    struct Finished {
        Done done;
        Result<void> result;
    };

    LeaseSaver(QbLoop& loop, LeaseFiles files, UniqueFd ready);
    void work();
    void tell();

    QbLoop& loop_;
    UniqueFd ready_;    // An eventfd, readable when something is finished.
    LeaseFiles files_;  // The thread's.
    std::mutex mutex_;  // Of all below.
    std::condition_variable wanted_;
    bool ending_ = false;
    std::map<GatewayId, Lease> leases_;
    std::map<GatewayId, std::uint64_t> newest_;  // The highest ticket of each gateway so far.
    std::deque<Finished> finished_;
    std::thread thread_;
};

}  // namespace vpnha::adapters
