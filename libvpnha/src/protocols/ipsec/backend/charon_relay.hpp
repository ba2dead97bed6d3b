// SPDX-License-Identifier: GPL-2.0-or-later
// Takes the place of the other node of a pair for charon's ha plugin: it listens at the plugin's
// `remote` and sends to its `local`. It passes charon's messages on, except those that such a pair
// needs for itself: which node has which segment, which lives, which requests a resync.
//
//   the plugin's message  | handling here
//   ----------------------+------------------------------------------------------------
//   SEGMENT_TAKE, _DROP   | charon is active, passive: sent when all its SAs are
//   STATUS, each second   | charon lives, and is active or not, if the two above are lost
//   RESYNC, after a start | charon has been started
//   all others            | sent to other nodes, with secrets sealed
//
// A charon is made empty if it has just been started, was there before vpnhad, or was silent for a
// while. The relay asks charon for its SAs and deletes them. A duplicate of an IKE SA could not be
// deleted later, and an SA without a record would stay for ever. charon is fed nothing before it is
// empty.
//
// None of these four is ever sent to charon: it would take or give away its SAs, or rekey all of
// them. It is turned through its fifo. Any process may have the port while charon is down, so the
// relay asks the kernel for the owner before each read or send.
//
// charon's socket has room for 208 KiB and drops the rest silently. So the relay sends only while
// little waits there, and counts the drops. charon is asked to repeat the messages that did not fit
// into vpnhad's own queue.
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
    // Names of timers on the loop.
    int look_timer = 0;
    int feed_timer = 0;
    int turn_timer = 0;
    std::string fifo{};  // Of charon's plugin ha.
    // These functions may take long and run in a thread. list_sas: charon's SAs, once its
    // connections are loaded; it also installs a missing guard of charon's port.
    std::function<Result<std::vector<ipsec::IkeId>>()> list_sas;
    std::function<Result<void>()> guard;
    // Replaces these CHILD SAs and those that are overdue; deletes those of the IKE SAs in
    // `refusing`.
    std::function<Result<void>(const std::vector<std::uint32_t>& children,
                               const std::vector<ipsec::IkeKey>& refusing)>
        rekey;
    // Ends these IKE SAs with a DELETE to each client. Returns those that charon does not have.
    std::function<Result<std::vector<ipsec::IkeKey>>(const std::vector<ipsec::IkeKey>& sas)> end;
    // Ends the half-open IKE SAs. No peer receives a DELETE.
    std::function<Result<void>()> end_half_open;
};

// Datagrams between charon and vpnhad that were lost, since vpnhad started.
struct RelayDrops {
    std::uint64_t from_charon = 0;  // vpnhad's queue had no room.
    std::uint64_t to_charon = 0;    // charon's queue had no room.
    // Not from charon, no message that its version sends to another node, or with secrets that this
    // node cannot seal or open.
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

    // Why the SAs are not replicated, or why their keys are not safe; empty: neither.
    [[nodiscard]] const std::string& warning() const { return warning_; }
    [[nodiscard]] const RelayDrops& drops() const { return drops_; }

  private:
    static constexpr Duration kLookPause = std::chrono::milliseconds(500);
    // charon still handles what it has read, including the last message.
    static constexpr Duration kLastMessage = std::chrono::milliseconds(50);
    // The ticket of the messages that make charon empty; the keeper's tickets are higher.
    static constexpr std::uint64_t kOwnTicket = 0;

    // The charon that has its port.
    struct Peer {
        UdpSocketState socket;
        TimePoint received_at{};
        std::uint8_t version = 0;  // 0: no message has come yet, and charon is fed nothing.
        // When it is made empty at the latest; none: it has been made empty.
        std::optional<TimePoint> empty_at;
        bool is_silent = false;
        bool is_active = false;
        bool is_empty = false;  // Apart from what it was fed since.
        // It has lost some of its feed. An SA may stay half open in it for ever.
        bool has_lost = false;
    };
    struct Feed {
        std::vector<Bytes> messages;
        std::uint64_t ticket = 0;
    };
    // The role that charon is to take, and when its fifo may be written to: once for each answer.
    struct Turn {
        std::optional<bool> wanted;
        TimePoint next_at{};
        // Of a charon that aborts at a turn while an IKE SA is half open: those SAs are being
        // ended, or have been.
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
    // False: the datagram is refused.
    [[nodiscard]] bool on_datagram(ByteView datagram);
    void on_status(const ipsec::HaMessage& status);
    void on_turned(bool active);
    void on_resync();

    // Runs in a thread while charon is active; `then` follows in this thread if there was no error.
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
    std::size_t emitted_ = 0;           // Messages sent of the first feed.
    std::deque<std::uint64_t> unread_;  // Tickets of feeds that were sent whole.
    Turn turn_;
    std::uint32_t own_drops_ = 0;  // The kernel's count for the socket.
    RelayDrops drops_;
    bool is_missing_ = false;    // charon sent messages that vpnhad lost.
    TimePoint ask_again_at_{};   // Not before then.
    std::uint64_t listing_ = 0;  // Answers to earlier ones are too late.
    bool was_guarded_ = false;
    bool guarding_ = false;
    std::string guard_error_;
    std::string warning_;
    std::string complaint_;
    Background background_;  // Its threads end first.
};

}  // namespace vpnha::adapters
