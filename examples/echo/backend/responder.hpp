// SPDX-License-Identifier: GPL-2.0-or-later
// The data path of echo in user space: answers datagrams to a gateway's first address outside. Each
// answer has a number that no other one has, and a hash that only the session's secret makes.
//
//   from a client                     | answer
//   ----------------------------------+-----------------------------------------------------
//   'O' nonce (8)                     | 'S' nonce (8) id (8) secret (32): a session begins
//   'Q' id (8) request (8)            | 'A' id (8) request (8) number (8) hash (32)
//   'C' id (8) hash (32)              | 'D' id (8): the session has ended
//
// The hash is BLAKE2b of what stands before it, with the secret as its key.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "echo/table.hpp"
#include "echo/work.hpp"
#include "host/os/unique_fd.hpp"
#include "host/secrets/secret_box.hpp"
#include "protocols/backends.hpp"

namespace vpnha::echo {

class Responder final : public ports::Backend {
  public:
    // As open_backend().
    [[nodiscard]] static ports::OpenedBackend open(const ports::BackendHost& host);
    ~Responder() override;

    [[nodiscard]] bool execute(effects::ProtocolWork& work) override;
    [[nodiscard]] Status status() const override;

  private:
    struct Session {
        adapters::SecretBytes secret;
        std::uint64_t next = 0;
        std::uint64_t end_of_second = 0;  // Numbers from here on are of the next second.
    };
    struct Place {
        adapters::UniqueFd socket;
        std::uint32_t answers_per_second = 0;
        bool serves = false;
        std::map<SessionId, Session> sessions;
    };

    struct Reply {
        Bytes bytes;
        Session* numbered = nullptr;  // Whose number it has.
    };

    Responder(ports::BackendHost host, adapters::SecretBox box)
        : host_(std::move(host)), box_(std::move(box)) {}
    [[nodiscard]] Result<void> listen(const config::Gateway& gateway, const Table& table);
    void on_datagrams(GatewayId gateway, Place& place);
    void next_second();
    [[nodiscard]] Reply answer(GatewayId gateway, Place& place, ByteReader& datagram);
    [[nodiscard]] Bytes open_session(GatewayId gateway, Place& place, ByteReader& datagram);
    [[nodiscard]] static Reply answer_request(Place& place, ByteReader& datagram);
    [[nodiscard]] Bytes close_session(GatewayId gateway, Place& place, ByteReader& datagram);

    void carry_out(GatewayId gateway, Place& place, const Install& work);
    void carry_out(GatewayId gateway, Place& place, const Remove& work);
    void carry_out(GatewayId gateway, Place& place, const Serve& work);
    void carry_out(GatewayId gateway, Place& place, const SetNumbers& work);
    void carry_out(GatewayId gateway, Place& place, const ReadNumbers& work);
    [[nodiscard]] Result<Session> unseal(const Install& work) const;
    void notify_later(GatewayId gateway, Event event);

    ports::BackendHost host_;
    adapters::SecretBox box_;
    std::map<GatewayId, Place> places_;
    std::vector<std::pair<GatewayId, Event>> news_;
    std::uint64_t answers_ = 0;
};

}  // namespace vpnha::echo
