// SPDX-License-Identifier: GPL-2.0-or-later
// A table of sessions that outlives the node that serves it: session-table GROUP PORT, on each
// node.
//
// A client asks by UDP, a word or three in a datagram:
//     put KEY VALUE   answered when another node has it: then it survives this one's death
//     drop KEY, get KEY
//     state, promote  for whoever decides who serves, as Pacemaker does
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>

#include "vpnha/checkpoint.hpp"

namespace {

std::map<std::string, std::string> table;
std::map<std::string, sockaddr_in> waiting;  // Who has put a key that nobody else has yet.
int server = -1;

void answer(const sockaddr_in& client, const std::string& text) {
    sendto(server, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&client),
           sizeof client);
}

void serve(vpnha::Checkpoint& group, const sockaddr_in& client, std::istringstream words) {
    std::string verb, key, value;
    words >> verb >> key >> std::ws;
    std::getline(words, value);
    const vpnha::CheckpointState state = group.state();
    vpnha::Result<void> done = vpnha::fail(vpnha::Errc::invalid_argument, "not promoted");
    if (verb == "put" && (done = group.publish(key, value))) {
        table[key] = value;
        waiting[key] = client;
        return;
    }
    if (verb == "drop" && (done = group.withdraw(key))) {
        table.erase(key);
    } else if (verb == "promote") {
        done = group.promote();
    } else if (verb == "get" && state.promoted && state.quorate) {
        return answer(client, table.contains(key) ? "= " + table[key] : "none");
    } else if (verb == "state") {
        std::ostringstream text;
        text << "promoted=" << state.promoted << " quorate=" << state.quorate
             << " complete=" << (state.level == vpnha::CheckpointState::Level::complete)
             << " holder=" << state.holder << " standbys=" << state.complete_standbys.size()
             << " records=" << table.size();
        return answer(client, text.str());
    }
    answer(client, done ? "ok" : done.error().detail);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: session-table GROUP PORT\n");
        return 2;
    }
    vpnha::CheckpointListener listener;
    listener.install = [](std::string_view id, std::string_view payload) {
        table[std::string(id)] = payload;
        return true;
    };
    listener.remove = [](std::string_view id) { table.erase(std::string(id)); };
    listener.confirmed = [](std::string_view id) {
        if (const auto client = waiting.extract(std::string(id))) {
            answer(client.mapped(), "ok");
        }
    };
    vpnha::Result<vpnha::Checkpoint> group = vpnha::Checkpoint::join({.group = argv[1]}, listener);
    sockaddr_in address{AF_INET, htons(static_cast<std::uint16_t>(std::stoul(argv[2]))), {}, {}};
    server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (!group || bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        std::fprintf(stderr, "session-table: %s\n", group ? "bind" : group.error().detail.c_str());
        return 1;
    }
    std::array<pollfd, 2> ready{{{group->fd(), POLLIN, 0}, {server, POLLIN, 0}}};
    vpnha::Result<void> alive;
    while ((alive = group->dispatch())) {
        poll(ready.data(), ready.size(), -1);
        std::array<char, 9000> text{};
        socklen_t size = sizeof address;
        const ssize_t got = recvfrom(server, text.data(), text.size(), 0,
                                     reinterpret_cast<sockaddr*>(&address), &size);
        if (got > 0) {
            serve(*group, address, std::istringstream({text.data(), std::size_t(got)}));
        }
    }
    std::fprintf(stderr, "session-table: %s\n", alive.error().detail.c_str());
    return 1;
}
