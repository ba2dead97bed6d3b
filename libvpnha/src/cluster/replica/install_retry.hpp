// SPDX-License-Identifier: GPL-2.0-or-later
// When refused installations are tried again. Pure.
//
//   state \ event | refused           | due, a part | due, the rest        | stop()
//   --------------+-------------------+-------------+----------------------+--------
//   idle          | waits, first pause| XXX         | XXX                  | -
//   waits         | - (1)             | stays due   | idle, or waits twice | idle
//                 |                   |             | as long if any was   |
//                 |                   |             | refused              |
//
//   (1) noted for the end of the walk.
#pragma once

#include <algorithm>
#include <optional>

#include "base/limits.hpp"
#include "cluster/replica/store.hpp"

namespace vpnha::replica {

class InstallRetry {
  public:
    // The walk begins anew after the first pause.
    void begin(TimePoint now) {
        pause_ = limits::kInstallRetryFirst;
        at_ = now + pause_;
    }
    void stop() {
        at_.reset();
        after_.reset();
    }
    void note_refused() { again_ = true; }
    [[nodiscard]] bool waits() const { return at_.has_value(); }
    [[nodiscard]] std::optional<TimePoint> next_deadline() const { return at_; }

    // Calls install(key) for some of the refused records.
    template <class Install>
    void run(const Store::Records& records, TimePoint now, const Install& install) {
        if (!at_ || *at_ > now) {
            return;
        }
        auto next = after_ ? records.upper_bound(*after_) : records.begin();
        again_ = again_ && after_;
        for (std::size_t n = 0; n < limits::kRecordsPerRetry && next != records.end();
             ++n, ++next) {
            after_ = next->first;
            if (next->second.hold == Hold::refused) {
                install(next->first);
                again_ = true;
            }
        }
        if (next != records.end()) {
            return;  // Still due: a table that is full may refuse hundreds of thousands.
        }
        stop();
        if (again_) {
            pause_ = std::min<Duration>(2 * pause_, limits::kInstallRetryMax);
            at_ = now + pause_;
        }
    }

  private:
    std::optional<TimePoint> at_;
    std::optional<wire::RecordKey> after_;  // Some at a time: the last one of them.
    bool again_ = false;                    // Some were refused, or requested again.
    Duration pause_{};
};

}  // namespace vpnha::replica
