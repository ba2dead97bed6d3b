// SPDX-License-Identifier: GPL-2.0-or-later
// What charon's ha plugin takes for the other node of a pair: it listens where the plugin's
// `remote` is, and speaks to its `local`. What charon says goes up, but not what such a pair needs
// for itself: who has which segment, who lives, who wants everything again.
//
//   the plugin's message  | here
//   ----------------------+------------------------------------------------------------
//   SEGMENT_TAKE, _DROP   | charon is active, passive: said when all its SAs are
//   STATUS, each second   | it lives, and is active or not, should the two above be lost
//   RESYNC, after a start | it is empty
//   all others            | said to other nodes, with secrets sealed
//
// None of the four is ever sent to charon: it would take or give away its SAs, or have them all
// rekeyed. It is turned by its fifo. Who is at its port is asked of the kernel before anything is
// read or sent: anybody may have the port while charon is not there.
//
// charon's socket has room for 208 KiB and drops the rest without a word. So messages go out only
// while little waits there, and what was dropped is looked at.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "adapters/ipsec/charon_secrets.hpp"
#include "adapters/ipsec/udp_socket_state.hpp"
#include "adapters/os/qb_loop.hpp"
#include "adapters/os/unique_fd.hpp"
#include "ipsec/ha_message.hpp"
#include "ports/charon.hpp"

namespace vpnha::adapters {

struct CharonRelayOptions {
    // Names on the loop.
    int look_timer = 0;
    int feed_timer = 0;
    int turn_timer = 0;
    std::string fifo = "/run/charon.ha";
};

class CharonRelay : public ports::Charon {
  public:
    // The loop must outlive it. In the network namespace of the calling thread.
    [[nodiscard]] static Result<std::unique_ptr<CharonRelay>> open(QbLoop& loop,
                                                                   CharonRelayOptions options,
                                                                   CharonSecrets secrets,
                                                                   Listener listener);
    ~CharonRelay() override;
    CharonRelay(const CharonRelay&) = delete;
    CharonRelay& operator=(const CharonRelay&) = delete;

    void feed(std::vector<Bytes> messages, std::uint64_t ticket) override;
    void turn(bool active) override;

  private:
    // The charon that is at its port.
    struct Peer {
        UdpSocketState socket;
        TimePoint heard_at{};
        bool is_silent = false;
        bool is_active = false;
    };
    struct Feed {
        std::vector<Bytes> messages;
        std::uint64_t ticket = 0;
    };
    // What charon is to become, and when its fifo may be written to: once for each answer.
    struct Turn {
        std::optional<bool> wanted;
        TimePoint next_at{};
    };

    CharonRelay(QbLoop& loop, CharonRelayOptions options, CharonSecrets secrets, Listener listener,
                UdpSockets sockets, SecretBytes buffer);
    [[nodiscard]] Result<void> open_socket();
    [[nodiscard]] bool is_here() const { return peer_ && !peer_->is_silent; }

    void look_again();
    void look();
    void look_at(const UdpSocketState& socket);
    void watch_own_queue();
    void lose(const std::string& why);
    void complain(const std::string& what);

    void receive();
    void on_datagram(ByteView datagram);
    void on_status(const ipsec::HaMessage& status);
    void on_turned(bool active);
    void on_fresh();

    void feed_later(Duration pause);
    void work_feeds();
    [[nodiscard]] Result<void> send_one(ByteView message);
    void end_feed();
    void fail_feeds(const Error& why);

    void turn_later(Duration pause);
    void work_turn();
    [[nodiscard]] Result<void> write_fifo(bool active) const;

    QbLoop& loop_;
    CharonRelayOptions options_;
    CharonSecrets secrets_;
    Listener listener_;
    UdpSockets sockets_;
    SecretBytes buffer_;  // Of a message in the clear.
    UniqueFd fd_;
    std::optional<Peer> peer_;
    std::deque<Feed> feeds_;
    std::size_t said_ = 0;              // Messages of the first feed that were sent.
    std::deque<std::uint64_t> unread_;  // Tickets of those that were sent whole.
    Turn turn_;
    std::uint32_t own_drops_ = 0;
    std::string complaint_;
};

}  // namespace vpnha::adapters
