// SPDX-License-Identifier: GPL-2.0-or-later
// Readiness of many descriptors behind one: an epoll instance that the daemon's loop watches. It
// adds to the loop what servers need and libqb's watch lacks, namely waiting for room to write, and
// keeps the loop's own table small when thousands of pppds are connected.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "adapters/os/qb_loop.hpp"
#include "adapters/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct Readiness {
    bool readable = false;
    bool writable = false;
    bool hung_up = false;  // Both directions are closed, or the descriptor is in error.
};

class PollSet {
  public:
    using Callback = std::function<void(Readiness)>;

    [[nodiscard]] static Result<std::unique_ptr<PollSet>> create(QbLoop& loop);
    ~PollSet();
    PollSet(const PollSet&) = delete;
    PollSet& operator=(const PollSet&) = delete;

    // The fd stays the caller's. Hang-up is always reported, so a caller that ignores it spins.
    Result<void> add(int fd, Callback on_ready);
    // Waits for nothing but hang-up when both are false.
    void want(int fd, bool read, bool write);
    // From within any callback too; to be called before the fd is closed.
    void remove(int fd);

  private:
    PollSet(QbLoop& loop, UniqueFd epoll);
    void dispatch();

    QbLoop& loop_;
    UniqueFd epoll_;
    std::unordered_map<int, Callback> callbacks_;
};

}  // namespace vpnha::adapters
