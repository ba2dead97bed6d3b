// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/systemd/notify.hpp"

#include <sys/socket.h>

#include <cstdlib>
#include <utility>

#include "host/systemd/datagram_socket.hpp"

namespace vpnha::adapters {

ServiceManager ServiceManager::of_environment() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment.
    const char* const socket = std::getenv("NOTIFY_SOCKET");
    return ServiceManager(socket == nullptr ? "" : socket);
}

ServiceManager::ServiceManager(const std::string& socket) {
    if (auto connected = connect_datagram(socket)) {
        socket_ = std::move(*connected);
    }
}

void ServiceManager::notify(std::string_view state) const {
    if (is_there()) {
        ::send(socket_.get(), state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

}  // namespace vpnha::adapters
