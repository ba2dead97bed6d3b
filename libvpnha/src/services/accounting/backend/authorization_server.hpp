// SPDX-License-Identifier: GPL-2.0-or-later
// Receives requests of RADIUS servers to end or to change sessions (RFC 5176), at all addresses of
// the node, and answers from the request's destination. At a VIP the gate passes requests only on
// the node that serves.
//
// Drops without an answer a request that is not from an allowed client, does not parse, is not
// signed with the secret, or is too old. A repeated request gets the same answer.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "config/config.hpp"
#include "host/os/qb_loop.hpp"
#include "host/os/unique_fd.hpp"
#include "host/secrets/secret_bytes.hpp"
#include "services/accounting/backend/answer_memory.hpp"
#include "services/accounting/backend/authorization_packet.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct AuthorizationCounters {
    std::uint64_t disconnects = 0;  // Disconnect-Requests that were answered for the first time.
    std::uint64_t changes = 0;      // CoA-Requests, the same.
    std::uint64_t acks = 0;
    std::map<ErrorCause, std::uint64_t> naks;
    std::uint64_t repeated = 0;  // Requests that were answered before.
    // Dropped.
    std::uint64_t strangers = 0;  // Not from an allowed client.
    std::uint64_t malformed = 0;
    std::uint64_t is_unsigned = 0;  // Without a Message-Authenticator.
    std::uint64_t forged = 0;       // Signed with another secret.
    std::uint64_t stale = 0;        // Made long ago, or in the future.

    AuthorizationCounters& operator+=(const AuthorizationCounters& other);
};

class AuthorizationServer {
  public:
    struct Refusal {
        ErrorCause cause{};
        std::string why;  // For the log; may be empty.
    };
    // Carries out a sound request. nullopt: it is under way.
    using Act = std::function<std::optional<Refusal>(const AuthorizationRequest&,
                                                     const Ipv4Endpoint& client)>;

    // Reads the secret. Errors: of its file; the port is another program's. `loop` must outlive it.
    [[nodiscard]] static Result<std::unique_ptr<AuthorizationServer>> open(
        QbLoop& loop, const config::Radius& settings, Act act);
    ~AuthorizationServer();
    AuthorizationServer(const AuthorizationServer&) = delete;
    AuthorizationServer& operator=(const AuthorizationServer&) = delete;

    [[nodiscard]] const AuthorizationCounters& counters() const { return counters_; }

  private:
    struct Datagram {
        Bytes octets;
        Ipv4Endpoint from;
        Ipv4Address to;  // This node's.
    };

    AuthorizationServer(QbLoop& loop, UniqueFd socket, const config::Radius& settings,
                        SecretBytes secret, Act act);
    void on_readable();
    [[nodiscard]] std::optional<Datagram> receive() const;
    void handle(const Datagram& datagram, TimePoint now);
    void answer(const Datagram& datagram, const AuthorizationRequest& request, TimePoint now);
    [[nodiscard]] std::optional<Refusal> judge(const AuthorizationRequest& request,
                                               const Ipv4Endpoint& client);
    void send(const Datagram& request, Bytes answer) const;
    // Counts it, and logs that now and then.
    void drop(std::uint64_t& counter, const Ipv4Endpoint& from, const char* why, TimePoint now);

    QbLoop& loop_;
    UniqueFd socket_;
    std::set<Ipv4Address> clients_;
    std::string nas_identifier_;
    SecretBytes secret_;
    Act act_;
    AnswerMemory answered_;
    AuthorizationCounters counters_;
    std::map<const std::uint64_t*, TimePoint> silent_until_;  // By the counter of the reason.
};

}  // namespace vpnha::adapters
