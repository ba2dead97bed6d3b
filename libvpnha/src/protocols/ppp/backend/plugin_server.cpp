// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ppp/backend/plugin_server.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>

#include "base/limits.hpp"
#include "host/os/poll_set.hpp"
#include "host/os/process.hpp"
#include "host/os/unique_fd.hpp"
#include "host/os/unix_socket.hpp"

namespace vpnha::adapters {

struct PluginServer::State {
    struct Client {
        UniqueFd fd;
        pid_t pid = 0;
        std::optional<Process> process;  // nullopt: it is gone already.
        bool known = false;              // It has requested an address, or sent `up`.
        bool announced = false;          // It has announced its end.
    };

    State(PluginListener given_listener, UnixListener given_socket)
        : listener(std::move(given_listener)), socket(std::move(given_socket)) {}

    void on_connection();
    void on_ready(PluginClientId id);
    void on_message(PluginClientId id, ByteView bytes);
    void forget(PluginClientId id);
    void send(PluginClientId id, ByteView bytes);

    PluginListener listener;
    UnixListener socket;
    std::unique_ptr<PollSet> polls;
    std::map<PluginClientId, Client> clients;
    std::uint64_t next_id = 1;
    PluginCounters counters;
};

void PluginServer::State::on_connection() {
    std::optional<UniqueFd> fd = socket.accept();
    if (!fd) {
        return;
    }
    const Result<PeerCredentials> peer = peer_credentials(fd->get());
    if (!peer || peer->uid != 0 || clients.size() >= limits::kPluginClientsMax) {
        ++counters.refused;
        return;
    }
    const PluginClientId id{next_id++};
    if (!polls->add(fd->get(), [this, id](Readiness) { on_ready(id); })) {
        ++counters.refused;
        return;
    }
    clients.emplace(id, Client{std::move(*fd), peer->pid, read_process(peer->pid)});
}

void PluginServer::State::on_ready(PluginClientId id) {
    // One octet more than allowed, so that a message that is too long is recognised.
    std::array<std::uint8_t, limits::kPluginMessageBytesMax + 1> buffer{};
    const ssize_t count =
        ::recv(clients.at(id).fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count > 0) {
        on_message(id, ByteView(buffer).first(static_cast<std::size_t>(count)));
        // It may have keys in it; their users have sealed them by now.
        ::explicit_bzero(buffer.data(), buffer.size());
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        forget(id);
    }
}

void PluginServer::State::on_message(PluginClientId id, ByteView bytes) {
    Result<PluginMessage> message = parse_plugin_message(bytes);
    if (!message) {
        ++counters.malformed;
        listener.on_malformed(clients.at(id).pid, message.error());
        forget(id);
        return;
    }
    Client& client = clients.at(id);
    if (auto* const asks = std::get_if<PluginAsks>(&*message)) {
        client.known = true;
        client.announced = false;
        listener.on_asks(id, std::move(*asks));
    } else if (auto* const up = std::get_if<PluginSessionUp>(&*message)) {
        client.known = true;
        client.announced = false;
        listener.on_up(id, std::move(*up));
    } else if (auto* const down = std::get_if<PluginSessionDown>(&*message)) {
        if (client.known) {
            listener.on_down(id, *down);
        }
    } else {
        client.announced = true;
    }
}

void PluginServer::State::forget(PluginClientId id) {
    const auto found = clients.find(id);
    const bool known = found->second.known;
    const bool announced = found->second.announced;
    polls->remove(found->second.fd.get());
    clients.erase(found);
    if (known) {
        listener.on_gone(id, announced);
    }
}

PluginServer::PluginServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

PluginServer::~PluginServer() = default;

Result<std::unique_ptr<PluginServer>> PluginServer::open(QbLoop& loop, const std::string& path,
                                                         PluginListener listener) {
    VPNHA_TRY(UnixListener socket, UnixListener::open({path, SOCK_SEQPACKET, 0600, std::nullopt}));
    auto state = std::make_unique<State>(std::move(listener), std::move(socket));
    VPNHA_TRY(state->polls, PollSet::create(loop));
    VPNHA_CHECK(state->polls->add(state->socket.fd(),
                                  [raw = state.get()](Readiness) { raw->on_connection(); }));
    return std::unique_ptr<PluginServer>(new PluginServer(std::move(state)));
}

void PluginServer::State::send(PluginClientId id, ByteView bytes) {
    const auto found = clients.find(id);
    if (found != clients.end() && ::send(found->second.fd.get(), bytes.data(), bytes.size(),
                                         MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        ++counters.unreceived;
    }
}

void PluginServer::answer(PluginClientId client, std::string_view unprotected_reason) {
    state_->send(client, encode_plugin_verdict(unprotected_reason));
}

void PluginServer::give(PluginClientId client, Ipv4Address address) {
    state_->send(client, encode_plugin_address(address));
}

void PluginServer::refuse(PluginClientId client, std::string_view reason) {
    state_->send(client, encode_plugin_refusal(reason));
}

void PluginServer::change(PluginClientId client, const ppp::Timeouts& timeouts,
                          const std::optional<Rate>& rate) {
    state_->send(client, encode_plugin_change(timeouts, rate));
}

void PluginServer::end(PluginClientId client) {
    const auto found = state_->clients.find(client);
    if (found != state_->clients.end() && found->second.process) {
        terminate_and_wait(*found->second.process, std::chrono::milliseconds(0));
    }
}

const PluginCounters& PluginServer::counters() const {
    return state_->counters;
}

}  // namespace vpnha::adapters
