// SPDX-License-Identifier: GPL-2.0-or-later
// The answers to past requests. A request that arrives again, because its answer was lost or it was
// replayed, gets the same answer, and has no second effect (RFC 5176 6.3). Pure.
//
// A request is identified by its authenticator, which covers all of it, and by its sender. The
// newest kAnswersMax requests are kept.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "services/accounting/backend/radius_packet.hpp"

namespace vpnha::adapters {

// A request is accepted while its Event-Timestamp is at most 300 s off, either way: so long its
// answer is kept.
inline constexpr std::chrono::seconds kRequestWindow{300};
inline constexpr std::chrono::seconds kAnswerKept{2 * kRequestWindow};
// Six a second for that time.
inline constexpr std::size_t kAnswersMax = 4096;

class AnswerMemory {
  public:
    struct Request {
        Ipv4Address client;
        RadiusDigest authenticator{};
        friend auto operator<=>(const Request&, const Request&) = default;
    };

    // nullptr: it was not answered lately. Valid until the next call of another member.
    [[nodiscard]] const Bytes* find(const Request& request, TimePoint now);
    void put(const Request& request, Bytes answer, TimePoint now);

  private:
    void forget_oldest();

    std::map<Request, Bytes> answers_;
    std::deque<std::pair<TimePoint, Request>> order_;  // Of all, by their time.
};

}  // namespace vpnha::adapters
