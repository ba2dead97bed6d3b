// SPDX-License-Identifier: GPL-2.0-or-later
// Saves the memory of a vote in a separate thread, one save after the other: a disk that is slow,
// or hangs, delays only the lease that waits for it. It knows no loop: its owner watches fd(), and
// calls notify() when that is readable.
//
//   VPNHA_TRY(const auto thread, SaveThread::start());
//   thread->save(gateway, ticket, [] { return write(…); }, [](const Result<void>& saved) { … });
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/ids.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class SaveThread {
  public:
    using Work = std::function<Result<void>()>;
    using Done = std::function<void(const Result<void>&)>;

    // Error: no thread is available.
    [[nodiscard]] static Result<std::unique_ptr<SaveThread>> start();
    // Pending saves are written first: it lasts as long as the disk takes for that.
    ~SaveThread();
    SaveThread(const SaveThread&) = delete;
    SaveThread& operator=(const SaveThread&) = delete;

    // `work` runs in the thread, `done` within notify(). For a gateway only the save with the
    // highest ticket is done, unless a lower one is under way: its answer is the answer of those
    // before it.
    void save(GatewayId gateway, std::uint64_t ticket, Work work, Done done);
    // Readable when something is finished.
    [[nodiscard]] int fd() const { return ready_.get(); }
    void notify();

  private:
    struct Save {
        Work work;
        Done done;
    };
    struct Finished {
        Done done;
        Result<void> result;
    };

    explicit SaveThread(UniqueFd ready) : ready_(std::move(ready)) {}
    void work();

    UniqueFd ready_;    // An eventfd.
    std::mutex mutex_;  // Protects all members below.
    std::condition_variable wanted_;
    bool ending_ = false;
    std::map<GatewayId, Save> saves_;
    std::map<GatewayId, std::uint64_t> newest_;  // The highest ticket of each gateway so far.
    std::deque<Finished> finished_;
    std::thread thread_;
};

}  // namespace vpnha::adapters
