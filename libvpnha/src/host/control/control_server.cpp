// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/control/control_server.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "base/limits.hpp"
#include "host/control/control_message.hpp"
#include "host/os/log.hpp"
#include "host/os/poll_set.hpp"
#include "host/os/unique_fd.hpp"
#include "host/os/unix_socket.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::size_t kReadBytes = std::size_t{16} * 1024;
// /etc/group's line of a large group.
constexpr std::size_t kGroupBufferBytes = std::size_t{64} * 1024;

std::optional<gid_t> find_group(const std::string& name) {
    std::vector<char> buffer(kGroupBufferBytes);
    group entry{};
    group* found = nullptr;
    ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    return found == nullptr ? std::nullopt : std::optional<gid_t>(found->gr_gid);
}

std::size_t bytes_of(const std::vector<std::string>& pieces) {
    std::size_t bytes = 0;
    for (const std::string& piece : pieces) {
        bytes += piece.size();
    }
    return bytes;
}

}  // namespace

ControlReply::ControlReply(Client client) : client_(std::make_unique<Client>(std::move(client))) {}

ControlReply::~ControlReply() {
    if (client_) {
        error({Errc::invalid_argument,
               "vpnhad cannot answer this request; are its arguments of the right types?"});
    }
}

ControlReply& ControlReply::operator=(ControlReply&& other) noexcept {
    std::swap(client_, other.client_);
    return *this;
}

void ControlReply::ok(const nlohmann::json& result) {
    send({encode_control_answer(result)});
}

void ControlReply::ok_text(std::vector<std::string> result) {
    result.insert(result.begin(), std::string(control_answer_head()));
    result.push_back(control_answer_tail());
    send(std::move(result));
}

void ControlReply::error(const Error& error) {
    send({encode_control_answer(error)});
}

void ControlReply::send(std::vector<std::string> pieces) {
    if (const std::unique_ptr<Client> once = std::move(client_)) {
        once->send(std::move(pieces));
    }
}

bool ControlReply::is_wanted() const {
    return client_ != nullptr && client_->is_there();
}

struct ControlServer::State : std::enable_shared_from_this<State> {
    struct Client {
        UniqueFd fd;
        PeerCredentials peer;
        ControlFrameReader input{limits::kControlRequestBytesMax};
        std::deque<std::string> output;  // None of them is empty.
        std::size_t sent = 0;            // Of the first one.
        std::size_t pending_bytes = 0;   // The bytes in `output`.
        bool waiting = false;            // For the handler's answer.
        TimePoint progress;
    };
    using ClientId = std::uint64_t;
    // The present use of root's clients, or of all others.
    struct Share {
        std::size_t clients = 0;
        std::size_t pending_bytes = 0;
    };

    State(ControlServerOptions given_options, Handler given_handler, UnixListener given_listener)
        : options(std::move(given_options)),
          handler(std::move(given_handler)),
          listener(std::move(given_listener)) {}

    Result<void> start(QbLoop& loop);
    void on_connection();
    // Makes room for it, if it is root's.
    [[nodiscard]] bool has_room_for(uid_t uid);
    [[nodiscard]] Share& share_of(uid_t uid) { return uid == 0 ? root : others; }
    void on_ready(ClientId id, Readiness readiness);
    void read_from(ClientId id);
    void handle_next(ClientId id);
    void call_handler(ClientId id, ControlCall call);
    void answer(ClientId id, std::vector<std::string> pieces);
    void write_to(ClientId id);
    void drop(ClientId id);
    void on_second();
    void set_ticking(bool ticking) const;
    [[nodiscard]] bool may_use(const PeerCredentials& peer, std::string_view verb) const;

    ControlServerOptions options;
    Handler handler;
    UnixListener listener;
    std::optional<gid_t> group;
    UniqueFd timer;
    std::unique_ptr<PollSet> polls;
    std::map<ClientId, Client> clients;
    ClientId next_id = 1;  // Never reused, so that a late reply cannot reach another client.
    Share root;
    Share others;
    ControlCounters counters;
};

Result<void> ControlServer::State::start(QbLoop& loop) {
    VPNHA_TRY(polls, PollSet::create(loop));
    timer.reset(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer) {
        return tl::unexpected(system_error("timerfd_create", errno));
    }
    VPNHA_CHECK(polls->add(timer.get(), [this](Readiness) { on_second(); }));
    return polls->add(listener.fd(), [this](Readiness) { on_connection(); });
}

void ControlServer::State::set_ticking(bool ticking) const {
    itimerspec period{};
    period.it_interval.tv_sec = period.it_value.tv_sec = ticking ? 1 : 0;
    ::timerfd_settime(timer.get(), 0, &period, nullptr);
}

void ControlServer::State::on_connection() {
    std::optional<UniqueFd> fd = listener.accept();
    if (!fd) {
        return;
    }
    Result<PeerCredentials> peer = peer_credentials(fd->get());
    if (!peer) {
        ++counters.refused;
        return;
    }
    if (!has_room_for(peer->uid)) {
        ++counters.refused;
        const std::string text = frame(encode_control_answer(
            Error{Errc::busy, "too many clients are connected to vpnhad; try again"}));
        ::send(fd->get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        return;
    }
    const ClientId id = next_id++;
    if (!polls->add(fd->get(), [this, id](Readiness readiness) { on_ready(id, readiness); })) {
        ++counters.refused;
        return;
    }
    Client client;
    client.fd = std::move(*fd);
    client.peer = std::move(*peer);
    client.progress = QbLoop::now();
    ++share_of(client.peer.uid).clients;
    clients.emplace(id, std::move(client));
    set_ticking(true);
}

bool ControlServer::State::has_room_for(uid_t uid) {
    if (uid != 0) {
        const auto own = std::ranges::count_if(
            clients, [uid](const auto& each) { return each.second.peer.uid == uid; });
        return others.clients < limits::kControlClientsMax &&
               own < static_cast<std::ptrdiff_t>(limits::kControlClientsOfUserMax);
    }
    if (root.clients < limits::kControlRootClientsMax) {
        return true;
    }
    std::optional<std::pair<TimePoint, ClientId>> idle;
    for (const auto& [id, client] : clients) {
        if (client.peer.uid == 0 && !client.waiting && client.output.empty() &&
            (!idle || client.progress < idle->first)) {
            idle = {client.progress, id};
        }
    }
    if (!idle) {
        return false;
    }
    ++counters.dropped;
    drop(idle->second);
    return true;
}

void ControlServer::State::on_ready(ClientId id, Readiness readiness) {
    if (readiness.hung_up) {
        drop(id);
    } else if (readiness.writable) {
        write_to(id);
    } else if (readiness.readable) {
        read_from(id);
    }
}

void ControlServer::State::read_from(ClientId id) {
    Client& client = clients.at(id);
    std::array<std::uint8_t, kReadBytes> buffer{};
    const ssize_t count = ::recv(client.fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (count <= 0) {
        drop(id);
        return;
    }
    client.progress = QbLoop::now();
    const Result<void> fed =
        client.input.feed(ByteView(buffer).first(static_cast<std::size_t>(count)));
    if (!fed) {
        // Later bytes cannot be split into messages any more.
        ++counters.malformed;
        drop(id);
        return;
    }
    handle_next(id);
}

void ControlServer::State::handle_next(ClientId id) {
    const std::optional<std::string> text = clients.at(id).input.next();
    if (!text) {
        return;
    }
    ++counters.requests;
    Client& client = clients.at(id);
    client.waiting = true;
    polls->want(client.fd.get(), false, false);
    Result<ControlCall> call = parse_control_request(*text);
    if (!call) {
        ++counters.malformed;
        answer(id, {encode_control_answer(call.error())});
    } else if (!may_use(client.peer, call->verb)) {
        ++counters.denied;
        answer(id, {encode_control_answer(Error{
                       Errc::permission,
                       fmt::format("'{}' takes {}", call->verb,
                                   is_read_only(call->verb)
                                       ? fmt::format("a member of group {} or root", options.group)
                                       : "root")})});
    } else {
        call_handler(id, std::move(*call));
    }
}

void ControlServer::State::call_handler(ClientId id, ControlCall call) {
    const PeerCredentials& peer = clients.at(id).peer;
    ControlRequest request{std::move(call.verb), std::move(call.arguments), peer.uid, peer.gid,
                           peer.pid};
    ControlReply reply({.send =
                            [weak = weak_from_this(), id](std::vector<std::string> pieces) {
                                if (const std::shared_ptr<State> state = weak.lock()) {
                                    state->answer(id, std::move(pieces));
                                }
                            },
                        .is_there =
                            [weak = weak_from_this(), id] {
                                const std::shared_ptr<State> state = weak.lock();
                                return state && state->clients.contains(id);
                            }});
    try {
        handler(std::move(request), std::move(reply));
    } catch (const nlohmann::json::exception&) {
        // Arguments of another type than the handler's; the destroyed reply has answered.
        ++counters.malformed;
    }
}

bool ControlServer::State::may_use(const PeerCredentials& peer, std::string_view verb) const {
    return peer.uid == 0 || (is_read_only(verb) && group && peer.is_in(*group));
}

void ControlServer::State::answer(ClientId id, std::vector<std::string> pieces) {
    const auto found = clients.find(id);
    if (found == clients.end()) {
        return;
    }
    std::size_t bytes = bytes_of(pieces);
    if (bytes > limits::kControlMessageBytesMax) {
        pieces = {encode_control_answer(
            Error{Errc::limit, fmt::format("the answer has {} bytes; ask for less", bytes)})};
        bytes = bytes_of(pieces);
    }
    Client& client = found->second;
    client.waiting = false;
    client.progress = QbLoop::now();
    const std::string header = frame_header(bytes);
    pieces.front().insert(0, header);
    client.output.assign(std::move_iterator(pieces.begin()), std::move_iterator(pieces.end()));
    client.sent = 0;
    client.pending_bytes = bytes + header.size();
    Share& share = share_of(client.peer.uid);
    share.pending_bytes += client.pending_bytes;
    if (share.pending_bytes > limits::kControlPendingBytesMax) {
        ++counters.dropped;
        drop(id);
        return;
    }
    // From the loop and not from here: an answer given within the handler must not end in the next
    // request's handler.
    polls->want(client.fd.get(), false, true);
}

void ControlServer::State::write_to(ClientId id) {
    Client& client = clients.at(id);
    const std::string& piece = client.output.front();
    const std::string_view left = std::string_view(piece).substr(client.sent);
    const ssize_t count =
        ::send(client.fd.get(), left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            drop(id);
        }
        return;
    }
    client.sent += static_cast<std::size_t>(count);
    client.progress = QbLoop::now();
    if (client.sent < piece.size()) {
        return;
    }
    client.pending_bytes -= piece.size();
    share_of(client.peer.uid).pending_bytes -= piece.size();
    client.output.pop_front();
    client.sent = 0;
    if (!client.output.empty()) {
        return;
    }
    polls->want(client.fd.get(), true, false);
    handle_next(id);  // It may have been sent together with the last one.
}

void ControlServer::State::drop(ClientId id) {
    const auto found = clients.find(id);
    if (found == clients.end()) {
        return;
    }
    Share& share = share_of(found->second.peer.uid);
    share.pending_bytes -= found->second.pending_bytes;
    --share.clients;
    polls->remove(found->second.fd.get());
    clients.erase(found);
    set_ticking(!clients.empty());
}

void ControlServer::State::on_second() {
    std::uint64_t ticks = 0;
    if (::read(timer.get(), &ticks, sizeof(ticks)) < 0) {
        return;
    }
    const TimePoint now = QbLoop::now();
    std::vector<ClientId> late;
    for (const auto& [id, client] : clients) {
        const bool within = client.input.is_within_message() || !client.output.empty();
        const Duration allowed = within ? options.progress_timeout : options.idle_timeout;
        if (!client.waiting && now - client.progress > allowed) {
            late.push_back(id);
        }
    }
    for (const ClientId id : late) {
        ++counters.dropped;
        drop(id);
    }
}

ControlServer::ControlServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

ControlServer::~ControlServer() = default;

Result<std::unique_ptr<ControlServer>> ControlServer::open(QbLoop& loop,
                                                           const ControlServerOptions& options,
                                                           Handler handler) {
    const std::optional<gid_t> group = find_group(options.group);
    if (!group) {
        write_log(
            LogLevel::warning,
            fmt::format("there is no group '{}': only root may query vpnhad (groupadd --system "
                        "{}) event=no-group",
                        options.group, options.group));
    }
    VPNHA_TRY(UnixListener listener, UnixListener::open({options.path, SOCK_STREAM, 0660, group}));
    auto state = std::make_shared<State>(options, std::move(handler), std::move(listener));
    state->group = group;
    VPNHA_CHECK(state->start(loop));
    return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

const ControlCounters& ControlServer::counters() const {
    return state_->counters;
}

}  // namespace vpnha::adapters
