// SPDX-License-Identifier: GPL-2.0-or-later
// What was answered to which request: a request that is heard again, because its answer was lost or
// somebody replays it, gets the same answer, and nothing is done twice (RFC 5176 6.3). Pure.
//
// A request is known by its authenticator, which covers all of it, and by who sent it. As many as
// kAnswersMax are known, the newest ones.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "services/accounting/backend/radius_packet.hpp"

namespace vpnha::adapters {

// A request is listened to while its Event-Timestamp is 300 s off at most, either way: until then
// its answer is known.
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
