// SPDX-License-Identifier: GPL-2.0-or-later
// The messages between vpnhad and carry-calls, the program of the data path. Both are of one build,
// so there is no version. vpnhad gives each call a number, which names it from then on and is never
// used again.
//
//   order (vpnhad)     | with descriptors   | report (carry-calls)
//   -------------------+--------------------+---------------------------------------------------
//   –                  |                    | PathReady, once, before anything else
//   PathVip            | GRE socket, probe  | –
//                      | socket             |
//   PathPrepare        | TUN device         | CallIsPrepared, when the keys are made
//   PathNumbers        |                    | –
//   PathRemove         |                    | CallIsGone
//   PathEnd            |                    | CallMeansToEnd, CallHasEnded
//   PathResume         |                    | CallIsResumed, or as PathEnd
//   PathRelease        |                    | –
//   PathPause          |                    | –
//   PathRead           |                    | PathNumbersRead with the ticket, the last one `last`
//   PathMayEnd         |                    | CallHasEnded
//   PathConnected      | TCP socket, unless | –
//                      | it failed          |
//   PathCount          |                    | PathCounters
//
// Unasked come PathNumbersRead{ticket 0}, CallWantsConnection (→ PathConnected), and
// CallLeavesConnection: its socket is to be closed without a FIN. After CallIsGone and CallHasEnded
// no report about that call follows, and its descriptors are closed there.
//
// A report comes from a process that parses octets from strangers: parse_report() accepts nothing
// beyond the bounds below, and no text that a log would not show unchanged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/accounting.hpp"
#include "protocols/pptp/model/resumed_call.hpp"

namespace vpnha::adapters {

using PathCallNumber = std::uint64_t;

// Of PathNumbers, PathResume, PathRelease, PathNumbersRead: 61 octets each, in 16 KiB.
inline constexpr std::size_t kPathCallsMax = 256;
inline constexpr std::size_t kPathTextBytesMax = 512;

struct NumbersOfCall {
    PathCallNumber call = 0;
    pptp::CallNumbers numbers;
    friend bool operator==(const NumbersOfCall&, const NumbersOfCall&) = default;
};

struct PathVip {
    Ipv4Address vip;
};
struct PathPrepare {
    PathCallNumber call = 0;
    GatewayId gateway;
    pptp::CallRecord record;
    pptp::CallNumbers numbers;
    std::optional<pptp::StartKeys> keys;
};
struct PathNumbers {
    std::vector<NumbersOfCall> calls;
};
struct PathRemove {
    PathCallNumber call = 0;
};
struct PathEnd {
    PathCallNumber call = 0;
    std::string reason;
    EndCause cause{};
};
struct PathResume {
    std::vector<PathCallNumber> calls;
    bool exact = false;
    std::uint8_t tenure = 0;
};
struct PathRelease {
    std::vector<PathCallNumber> calls;
};
struct PathPause {
    GatewayId gateway;
};
struct PathRead {
    GatewayId gateway;
    std::uint64_t ticket = 0;
};
struct PathMayEnd {
    PathCallNumber call = 0;
};
struct PathConnected {
    PathCallNumber call = 0;
    std::string error;  // Empty: the socket comes with it.
};
struct PathCount {};
using PathOrder =
    std::variant<PathVip, PathPrepare, PathNumbers, PathRemove, PathEnd, PathResume, PathRelease,
                 PathPause, PathRead, PathMayEnd, PathConnected, PathCount>;

struct PathReady {
    std::string error;     // Why it cannot begin; it ends then.
    std::string unlocked;  // Why its memory may be swapped out; empty: it is locked.
};
struct CallIsPrepared {
    PathCallNumber call = 0;
};
struct CallIsResumed {
    PathCallNumber call = 0;
    std::string how;
};
struct CallMeansToEnd {
    PathCallNumber call = 0;
};
struct CallHasEnded {
    PathCallNumber call = 0;
    std::string reason;
    EndCause cause{};
};
struct CallIsGone {
    PathCallNumber call = 0;
};
struct CallWantsConnection {
    PathCallNumber call = 0;
    pptp::ControlSocket socket;  // Without its options, which the record has.
};
struct CallLeavesConnection {
    PathCallNumber call = 0;
};
struct PathNumbersRead {
    GatewayId gateway;
    std::uint64_t ticket = 0;
    bool last = true;
    std::vector<NumbersOfCall> calls;
};
struct PathCounters {
    pptp::CallCounters counters;
};
using PathReport =
    std::variant<PathReady, CallIsPrepared, CallIsResumed, CallMeansToEnd, CallHasEnded, CallIsGone,
                 CallWantsConnection, CallLeavesConnection, PathNumbersRead, PathCounters>;

// At most MessageSocket::kMessageBytesMax octets. More calls than kPathCallsMax are a programming
// error. A text is cut off, and characters except printable ASCII in it become '?'.
[[nodiscard]] Bytes encode_order(const PathOrder& order);
[[nodiscard]] Bytes encode_report(const PathReport& report);
// Malformed: an unknown type, a value out of its range, octets left over.
[[nodiscard]] Result<PathOrder> parse_order(ByteView bytes);
[[nodiscard]] Result<PathReport> parse_report(ByteView bytes);

}  // namespace vpnha::adapters
