// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/charon_relay.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/limits.hpp"
#include "host/os/log.hpp"
#include "host/os/network_descriptor.hpp"
#include "protocols/ipsec/service/charon_guard.hpp"

namespace vpnha::adapters {

namespace {

using ipsec::HaType;

// charon sends STATUS each second.
constexpr Duration kSilenceMax = std::chrono::seconds(3);
// charon sends RESYNC a second after its start.
constexpr Duration kResyncMax = std::chrono::seconds(3);
// charon reads 64 KiB in 5 ms. It handles 5 000 messages in 3.7 s.
constexpr Duration kFeedPause = std::chrono::milliseconds(1);
// charon opens the fifo anew for each command, and closes it after its answer.
constexpr Duration kFifoPause = std::chrono::milliseconds(10);
// 1 000 SAs become active in 0.7 s in the lab. A repeated request changes nothing.
constexpr Duration kAnswerMax = std::chrono::seconds(2);
// The message version of strongSwan 6.0.1 alone. It aborts if it is turned while an IKE SA is half
// open: ha_segments.c swaps two arguments of a log line (#2781).
constexpr std::uint8_t kAbortsHalfOpen = 4;
// The most that a datagram takes of a receive queue besides its octets.
constexpr std::size_t kDatagramShare = 1024;
constexpr std::size_t kReceiveRoom = std::size_t{8} * 1024 * 1024;
constexpr int kMessagesPerTurn = 64;

sockaddr_in socket_address(const Ipv4Endpoint& endpoint) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    address.sin_addr.s_addr = htonl(endpoint.address.value);
    return address;
}

bool is_for_nodes(HaType type) {
    switch (type) {
        case HaType::segment_drop:
        case HaType::segment_take:
        case HaType::status:
        case HaType::resync:
            return false;
        default:
            return true;
    }
}

}  // namespace

CharonRelay::CharonRelay(QbLoop& loop, CharonRelayOptions options, CharonSecrets secrets,
                         Listener listener, UdpSockets sockets, SecretBytes buffer)
    : loop_(loop),
      options_(std::move(options)),
      secrets_(std::move(secrets)),
      listener_(std::move(listener)),
      sockets_(std::move(sockets)),
      buffer_(std::move(buffer)),
      background_(loop) {}

CharonRelay::~CharonRelay() {
    for (const int timer : {options_.look_timer, options_.feed_timer, options_.turn_timer}) {
        loop_.cancel_timer(timer);
    }
    if (fd_) {
        loop_.unwatch(fd_.get());
    }
}

Result<std::unique_ptr<CharonRelay>> CharonRelay::open(QbLoop& loop, CharonRelayOptions options,
                                                       CharonSecrets secrets, Listener listener) {
    VPNHA_TRY(UdpSockets sockets, UdpSockets::open());
    // One octet more, so that a message that is too long is recognised.
    VPNHA_TRY(SecretBytes buffer, SecretBytes::with_room(limits::kHaMessageBytesMax + 1));
    std::unique_ptr<CharonRelay> relay(new CharonRelay(loop, std::move(options), std::move(secrets),
                                                       std::move(listener), std::move(sockets),
                                                       std::move(buffer)));
    relay->loop_.set_timer(relay->options_.look_timer, {}, [relay = relay.get()] {
        relay->listener_.on_gone();
        relay->look_again();
    });
    return relay;
}

Result<void> CharonRelay::open_socket() {
    UniqueFd fd = open_network_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
    const sockaddr_in ours = socket_address(kRelayEnd);
    const sockaddr_in charon = socket_address(kCharonEnd);
    const int room = static_cast<int>(kReceiveRoom);
    const std::uint32_t mark = kRelayMark;
    if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0 ||
        setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0 ||
        bind(fd.get(), reinterpret_cast<const sockaddr*>(&ours), sizeof ours) != 0 ||
        connect(fd.get(), reinterpret_cast<const sockaddr*>(&charon), sizeof charon) != 0) {
        return tl::unexpected(system_error(
            "binding 127.0.0.2:4510, where charon's ha plugin has its other node (is another "
            "program there?)",
            errno));
    }
    VPNHA_CHECK(loop_.watch(fd.get(), [this] { receive(); }));
    fd_ = std::move(fd);
    return {};
}

void CharonRelay::look_again() {
    prepare();
    look();
    // The monitor judges a charon that is active on the node that serves.
    if (is_here() && !peer_->is_active && loop_.now() - peer_->received_at > kSilenceMax) {
        lose("it has been silent for 3 s");
        peer_->is_silent = true;
    }
    watch_own_queue();
    if (is_here() && peer_->version != 0 && peer_->empty_at && *peer_->empty_at <= loop_.now() &&
        !peer_->is_active) {
        list_sas();
    }
    ask_again();
    loop_.set_timer(options_.look_timer, loop_.now() + kLookPause, [this] { look_again(); });
}

// Looks up which process has the port now.
void CharonRelay::look() {
    const auto found = sockets_.find(kRelayEnd, kCharonEnd);
    if (!found) {
        return complain(found.error().detail);
    }
    if (*found && (*found)->uid == 0) {
        return look_at(**found);
    }
    if (*found) {
        complain(fmt::format("127.0.0.1:4510 belongs to user {}, not to charon", (*found)->uid));
    }
    if (peer_) {
        if (!peer_->is_silent) {
            lose("its socket has closed");
        }
        peer_.reset();
    }
}

void CharonRelay::look_at(const UdpSocketState& socket) {
    if (peer_ && peer_->socket.cookie == socket.cookie) {
        peer_->socket.queued_bytes = socket.queued_bytes;
        const std::uint32_t lost = socket.drops - std::exchange(peer_->socket.drops, socket.drops);
        if (lost != 0) {
            drops_.to_charon += lost;
            peer_->has_lost = true;
            fail_feeds({Errc::busy, "charon's queue was full, and it lost messages"});
        }
        return;
    }
    if (is_here()) {
        lose("another one has taken its place");
    }
    peer_ =
        Peer{.socket = socket, .received_at = loop_.now(), .empty_at = loop_.now() + kResyncMax};
    complaint_.clear();
}

void CharonRelay::lose(const std::string& why) {
    write_log(LogLevel::warning, fmt::format("charon has ended event=charon-gone: {}", why));
    ++listing_;
    peer_->is_empty = false;
    peer_->is_active = false;
    turn_ = {};
    fail_feeds({Errc::unreachable, "charon has ended: " + why});
    listener_.on_gone();
}

void CharonRelay::complain(const std::string& what) {
    if (complaint_ != what) {
        complaint_ = what;
        write_log(LogLevel::error, what);
    }
}

void CharonRelay::receive() {
    look();
    for (int i = 0; i < kMessagesPerTurn; ++i) {
        buffer_.clear();
        const ssize_t got = recv(fd_.get(), buffer_.room().data(), buffer_.room().size(), 0);
        if (got < 0) {
            return;  // The queue is empty, or an ICMP error.
        }
        buffer_.take(static_cast<std::size_t>(got));
        // From another process, or the last datagram of a charon that has ended.
        if (!peer_ || !on_datagram(buffer_.view())) {
            ++drops_.refused;
        }
    }
    buffer_.clear();
}

bool CharonRelay::on_datagram(ByteView datagram) {
    const auto parsed = ipsec::parse_charon_message(datagram);
    if (!parsed) {
        complain(parsed.error().detail);
        return false;
    }
    const ipsec::HaMessage& message = parsed->message;
    peer_->received_at = loop_.now();
    peer_->version = parsed->version;
    if (std::exchange(peer_->is_silent, false)) {
        write_log(LogLevel::warning, "charon speaks again event=charon-back");
        peer_->empty_at = loop_.now();
    }
    switch (message.type) {
        case HaType::status:
            on_status(message);
            return true;
        case HaType::resync:
            on_resync();
            return true;
        case HaType::segment_take:
        case HaType::segment_drop:
            on_turned(message.type == HaType::segment_take);
            return true;
        default:
            break;
    }
    const Result<Bytes> sealed = secrets_.seal(message);
    if (!sealed) {
        complain(sealed.error().detail);
        return false;
    }
    listener_.on_emitted(*sealed);
    return true;
}

// STATUS lists the active segments; there is only one segment.
void CharonRelay::on_status(const ipsec::HaMessage& status) {
    if (const bool active = status.find(ipsec::HaTag::segment).has_value();
        active != peer_->is_active) {
        on_turned(active);
    }
}

void CharonRelay::on_turned(bool active) {
    peer_->is_active = active;
    if (turn_.wanted == active) {
        turn_.wanted.reset();
    }
    turn_.next_at = loop_.now() + kFifoPause;
    turn_later(kFifoPause);
    listener_.on_turned(active);
}

void CharonRelay::on_resync() {
    fail_feeds({Errc::busy, "charon was started again"});
    turn_ = {};
    peer_->is_empty = false;
    list_sas();
}

void CharonRelay::feed(std::vector<Bytes> messages, std::uint64_t ticket) {
    feeds_.push_back({std::move(messages), ticket});
    feed_later({});
}

void CharonRelay::feed_later(Duration pause) {
    loop_.set_timer(options_.feed_timer, loop_.now() + pause, [this] { work_feeds(); });
}

void CharonRelay::work_feeds() {
    look();
    if (!is_here()) {
        return fail_feeds({Errc::unreachable, "charon is not there"});
    }
    std::vector<std::pair<std::uint64_t, Result<void>>> answers;
    // What the keeper requested of the previous charon.
    for (auto feed = feeds_.begin(); !peer_->is_empty && feed != feeds_.end();) {
        if (feed->ticket == kOwnTicket) {
            ++feed;
            continue;
        }
        answers.emplace_back(feed->ticket, fail(Errc::busy, "charon is being made empty"));
        feed = feeds_.erase(feed);
    }
    std::size_t queued_bytes = peer_->socket.queued_bytes;
    if (queued_bytes == 0) {
        for (const std::uint64_t ticket : std::exchange(unread_, {})) {
            answers.emplace_back(ticket, Result<void>());
        }
    }
    while (!feeds_.empty() && queued_bytes < limits::kCharonQueueBytes) {
        const Feed& feed = feeds_.front();
        Result<void> sent;
        if (emitted_ < feed.messages.size()) {
            const Bytes& message = feed.messages[emitted_++];
            sent = send_one(message);
            queued_bytes += message.size() + kDatagramShare;
        } else {
            unread_.push_back(feed.ticket);
            end_feed();
        }
        if (!sent) {
            ++drops_.refused;
            answers.emplace_back(feed.ticket, sent);
            end_feed();
        }
    }
    if (!feeds_.empty() || !unread_.empty()) {
        feed_later(kFeedPause);
    }
    for (const auto& [ticket, result] : answers) {
        answer(ticket, result);
    }
}

void CharonRelay::answer(std::uint64_t ticket, const Result<void>& result) {
    if (ticket != kOwnTicket) {
        listener_.on_fed(ticket, result);
    } else if (is_here() && !peer_->is_empty) {
        make_empty(result ? kLastMessage : kLookPause);
    }
}

void CharonRelay::end_feed() {
    feeds_.pop_front();
    emitted_ = 0;
}

Result<void> CharonRelay::send_one(ByteView message) {
    if (message.size() < 2 || !is_for_nodes(static_cast<HaType>(message[1]))) {
        return fail(Errc::invalid_argument, "no message for another node's charon");
    }
    buffer_.clear();
    VPNHA_CHECK(secrets_.open(message, peer_->version, buffer_));
    const ByteView plain = buffer_.view();
    const ssize_t sent = send(fd_.get(), plain.data(), plain.size(), 0);
    const int error_number = errno;
    buffer_.clear();
    return sent < 0 ? tl::unexpected(system_error("a message to charon", error_number))
                    : Result<void>();
}

void CharonRelay::fail_feeds(const Error& why) {
    std::deque<std::uint64_t> tickets = std::exchange(unread_, {});
    for (const Feed& feed : std::exchange(feeds_, {})) {
        tickets.push_back(feed.ticket);
    }
    emitted_ = 0;
    for (const std::uint64_t ticket : tickets) {
        answer(ticket, tl::unexpected(why));
    }
}

void CharonRelay::turn(bool active) {
    turn_.wanted = active;
    turn_later({});
}

void CharonRelay::turn_later(Duration pause) {
    loop_.set_timer(options_.turn_timer, loop_.now() + pause, [this] { work_turn(); });
}

void CharonRelay::work_turn() {
    look();
    if (!is_here()) {
        turn_ = {};  // A charon that starts is passive.
    }
    if (!turn_.wanted) {
        return;
    }
    if (loop_.now() < turn_.next_at) {
        return turn_later(turn_.next_at - loop_.now());
    }
    if (peer_->version == kAbortsHalfOpen && !turn_.clear && (!*turn_.wanted || peer_->has_lost)) {
        return clear_half_open();
    }
    if (const Result<void> written = write_fifo(*turn_.wanted ? "+1" : "-1"); !written) {
        complain("charon cannot be notified of who is active: " + written.error().detail);
        return turn_later(kFifoPause);
    }
    turn_.clear = false;
    turn_.next_at = loop_.now() + kAnswerMax;
    turn_later(kAnswerMax);
}

// The gate of a node that is turned passive is shut by now, so no new half-open SA appears.
void CharonRelay::clear_half_open() {
    if (std::exchange(turn_.clearing, true)) {
        return;
    }
    const auto done = [this, cookie = peer_->socket.cookie](const Result<void>& ended) {
        if (!peer_ || peer_->socket.cookie != cookie) {
            return;
        }
        if (!ended) {
            complain("half-open IKE SAs cannot be ended, and charon 6.0.1 may abort: " +
                     ended.error().detail);
        }
        turn_.clearing = false;
        turn_.clear = true;
        work_turn();
    };
    if (const Result<void> begun = background_.run(options_.end_half_open, done); !begun) {
        done(begun);
    }
}

// charon reads one command each time that it opens the fifo.
Result<void> CharonRelay::write_fifo(std::string_view command) const {
    const UniqueFd fifo(
        ::open(options_.fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
    struct stat state {};
    if (!fifo || fstat(fifo.get(), &state) != 0) {
        return tl::unexpected(system_error(options_.fifo, errno));
    }
    if (!S_ISFIFO(state.st_mode)) {
        return fail(Errc::unsupported, options_.fifo + " is no fifo");
    }
    if (write(fifo.get(), command.data(), command.size()) != static_cast<ssize_t>(command.size())) {
        return tl::unexpected(system_error(options_.fifo, errno));
    }
    return {};
}

}  // namespace vpnha::adapters
