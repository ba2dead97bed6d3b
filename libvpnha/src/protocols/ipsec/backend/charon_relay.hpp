// SPDX-License-Identifier: GPL-2.0-or-later
// What charon's ha plugin takes for the other node of a pair: it listens where the plugin's
// `remote` is, and speaks to its `local`. What charon says goes up, but not what such a pair needs
// for itself: who has which segment, who lives, who wants everything again.
//
//   the plugin's message  | here
//   ----------------------+------------------------------------------------------------
//   SEGMENT_TAKE, _DROP   | charon is active, passive: said when all its SAs are
//   STATUS, each second   | it lives, and is active or not, should the two above be lost
//   RESYNC, after a start | it has been started
//   all others            | said to other nodes, with secrets sealed
//
// A charon that has just been started, one that was there before vpnhad and one that was silent for
// a while are all made empty: what they have is asked of themselves, and deleted. A duplicate of an
// IKE SA could not be deleted any more, and what no record names would stay for ever. Until there
// is nothing left it is fed nothing.
//
// None of the four is ever sent to charon: it would take or give away its SAs, or have them all
// rekeyed. It is turned by its fifo. Who is at its port is asked of the kernel before anything is
// read or sent: anybody may have the port while charon is not there.
//
// charon's socket has room for 208 KiB and drops the rest without a word. So messages go out only
// while little waits there, and what was dropped is looked at. What did not fit into vpnhad's own
// queue charon is asked to say again.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/os/background.hpp"
#include "host/os/qb_loop.hpp"
#include "host/os/unique_fd.hpp"
#include "protocols/ipsec/backend/charon.hpp"
#include "protocols/ipsec/backend/charon_secrets.hpp"
#include "protocols/ipsec/backend/udp_socket_state.hpp"
#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::adapters {

struct CharonRelayOptions {
    // Names on the loop.
    int look_timer = 0;
    int feed_timer = 0;
    int turn_timer = 0;
    std::string fifo{};  // Of charon's plugin ha.
    // They may last, and are called in a thread of their own. What charon has, once its connections
    // are loaded; and a new guard of its port where there is none.
    std::function<Result<std::vector<ipsec::IkeId>>()> list_sas;
    std::function<Result<void>()> guard;
    // New CHILD SAs in the place of these, and of those that are overdue; the end of those that are
    // of these IKE SAs.
    std::function<Result<void>(const std::vector<std::uint32_t>& children,
                               const std::vector<ipsec::IkeKey>& refusing)>
        rekey;
    // These IKE SAs end, and their clients are told; those that charon does not have.
    std::function<Result<std::vector<ipsec::IkeKey>>(const std::vector<ipsec::IkeKey>& sas)> end;
    // Ends the half-open IKE SAs. No peer receives a DELETE.
    std::function<Result<void>()> end_half_open;
};

// Datagrams between charon and vpnhad that were lost, since vpnhad started.
struct RelayDrops {
    std::uint64_t from_charon = 0;  // vpnhad's queue had no room for them.
    std::uint64_t to_charon = 0;    // charon's had none.
    // They are not charon's, or not what it says to another node of its version; or their secrets
    // cannot be sealed here, or opened.
    std::uint64_t refused = 0;
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
    void rekey(std::vector<std::uint32_t> children, std::vector<ipsec::IkeKey> refusing) override;
    void end(std::vector<ipsec::IkeKey> sas) override;

    // What keeps the SAs from being replicated, or their keys from being safe; empty: nothing.
    [[nodiscard]] const std::string& warning() const { return warning_; }
    [[nodiscard]] const RelayDrops& drops() const { return drops_; }

  private:
    static constexpr Duration kLookPause = std::chrono::milliseconds(500);
    // charon works on what it has read, the last message of it too.
    static constexpr Duration kLastMessage = std::chrono::milliseconds(50);
    // Of what makes charon empty; the keeper's are higher.
    static constexpr std::uint64_t kOwnTicket = 0;

    // The charon that is at its port.
    struct Peer {
        UdpSocketState socket;
        TimePoint heard_at{};
        std::uint8_t version = 0;  // Of its messages; 0: none came yet, and it is fed nothing.
        // When it is to be made empty, if nothing makes that necessary before; none: it is.
        std::optional<TimePoint> empty_at;
        bool is_silent = false;
        bool is_active = false;
        bool is_empty = false;  // But for what it was fed since.
        // Some of what it was fed was lost. An SA may be half open in it for ever.
        bool has_lost = false;
    };
    struct Feed {
        std::vector<Bytes> messages;
        std::uint64_t ticket = 0;
    };
    // What charon is to become, and when its fifo may be written to: once for each answer.
    struct Turn {
        std::optional<bool> wanted;
        TimePoint next_at{};
        // Of a charon that aborts at a turn while an IKE SA is half open: those are being ended,
        // have been.
        bool clearing = false;
        bool clear = false;
    };

    CharonRelay(QbLoop& loop, CharonRelayOptions options, CharonSecrets secrets, Listener listener,
                UdpSockets sockets, SecretBytes buffer);
    [[nodiscard]] Result<void> open_socket();
    [[nodiscard]] bool is_here() const { return fd_ && peer_ && !peer_->is_silent; }
    void prepare();
    void keep_guarded();

    void look_again();
    void look();
    void look_at(const UdpSocketState& socket);
    void watch_own_queue();
    void lose(const std::string& why);
    void complain(const std::string& what);

    void receive();
    // False: it is refused.
    [[nodiscard]] bool on_datagram(ByteView datagram);
    void on_status(const ipsec::HaMessage& status);
    void on_turned(bool active);
    void on_resync();

    // In a thread of its own, by an active charon; `then` follows in this one, without an error.
    void ask_vici(
        std::string what, std::function<Result<void>()> work, std::function<void()> then = [] {});

    void make_empty(Duration pause);
    void list_sas();
    void on_listed(const Result<std::vector<ipsec::IkeId>>& listed);

    void feed_later(Duration pause);
    void work_feeds();
    [[nodiscard]] Result<void> send_one(ByteView message);
    void end_feed();
    void fail_feeds(const Error& why);
    void answer(std::uint64_t ticket, const Result<void>& result);

    void turn_later(Duration pause);
    void work_turn();
    void clear_half_open();
    void ask_again();
    [[nodiscard]] Result<void> write_fifo(std::string_view command) const;

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
    std::uint32_t own_drops_ = 0;  // As the kernel counts them for the socket.
    RelayDrops drops_;
    bool is_lacking_ = false;    // charon said what vpnhad has not read.
    TimePoint ask_again_at_{};   // Not before.
    std::uint64_t listing_ = 0;  // The answers of earlier ones are late.
    bool was_guarded_ = false;
    bool guarding_ = false;
    std::string guard_error_;
    std::string warning_;
    std::string complaint_;
    Background background_;  // Its threads end first.
};

}  // namespace vpnha::adapters
