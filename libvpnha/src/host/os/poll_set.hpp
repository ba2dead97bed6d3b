// SPDX-License-Identifier: GPL-2.0-or-later
// Readiness of many descriptors through one: an epoll instance that the
// daemon's loop watches, or a foreign one. It adds a function that servers
// need and libqb's watch does not have, waiting for room to write. It
// keeps the loop's own table small when thousands of pppds are connected.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "host/os/qb_loop.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct Readiness {
    bool readable = false;
    bool writable = false;
    bool hung_up = false;  // Both directions are closed, or the descriptor is in error.
};

class PollSet : public FdWatch {
  public:
    using OnReady = std::function<void(Readiness)>;

    // Not watched by a loop: see fd() and dispatch().
    [[nodiscard]] static Result<std::unique_ptr<PollSet>> create();
    [[nodiscard]] static Result<std::unique_ptr<PollSet>> create(QbLoop& loop);
    ~PollSet() override;
    PollSet(const PollSet&) = delete;
    PollSet& operator=(const PollSet&) = delete;

    // The fd stays the caller's. Hang-up is always reported, so a caller that ignores it spins.
    Result<void> add(int fd, OnReady on_ready);
    // Waits only for hang-up when both are false.
    void want(int fd, bool read, bool write);
    // From within any callback too; to be called before the fd is closed.
    void remove(int fd);

    Result<void> watch(int fd, Callback on_readable) override;
    void unwatch(int fd) override { remove(fd); }

    // Readable while a descriptor of the set is ready.
    [[nodiscard]] int fd() const { return epoll_.get(); }
    // Runs callbacks of those that are ready, in one turn of a loop; does not wait.
    void dispatch();

  private:
    explicit PollSet(UniqueFd epoll) : epoll_(std::move(epoll)) {}

    QbLoop* loop_ = nullptr;
    UniqueFd epoll_;
    std::unordered_map<int, OnReady> callbacks_;
};

}  // namespace vpnha::adapters
