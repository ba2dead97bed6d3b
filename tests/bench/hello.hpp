// SPDX-License-Identifier: GPL-2.0-or-later
// What a member of a group under measurement says of its replica, as
// cluster/gateway/gateway_views.cpp does: again whenever it has changed.
#pragma once

#include <optional>
#include <utility>

#include "cluster/replica/replica.hpp"
#include "cluster/wire/codec.hpp"
#include "outbox.hpp"
#include "session_records.hpp"

namespace vpnha::bench {

class HelloSayer {
  public:
    // After a change of membership it is said in any case.
    void forget() { last_.reset(); }

    void emit(const replica::Replica& replica, const wire::Dialects& dialects, Outbox& outbox) {
        const wire::GatewayState state{.gateway = kGateway,
                                       .promoted = replica.promoted(),
                                       .level = replica.level(),
                                       .standing = replica.level(),
                                       .epoch = replica.highest_epoch()};
        wire::Hello hello{dialects.version_min(), dialects.version_max(), 0, 1, "bench", {state}};
        if (last_ != hello) {
            outbox.send(dialects.encode(hello, dialects.version_min()));
            last_ = std::move(hello);
        }
    }

  private:
    std::optional<wire::Hello> last_;
};

}  // namespace vpnha::bench
