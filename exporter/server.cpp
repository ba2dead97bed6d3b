// SPDX-License-Identifier: GPL-2.0-or-later
#include "exporter/server.hpp"

#include <fcntl.h>
#include <microhttpd.h>
#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <utility>

namespace vpnha::exporter {

namespace {

constexpr unsigned kConnectionsMax = 32;
constexpr unsigned kIdleSeconds = 10;
// Of one connection: the request's head, and the answer's.
constexpr std::size_t kMemoryBytes = std::size_t{16} * 1024;

// Only what the page needs: a browser runs nothing of it, and loads nothing for it.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
    {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"},
    {"X-Content-Type-Options", "nosniff"},
};

MHD_Result send(MHD_Connection* connection, const Reply& reply) {
    MHD_Response* const response = MHD_create_response_from_buffer(
        reply.body.size(), const_cast<char*>(reply.body.data()),  // NOLINT: it is copied.
        MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) {
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply.type.c_str());
    for (const auto& [name, value] : kHeaders) {
        MHD_add_response_header(response, name, value);
    }
    const MHD_Result sent = MHD_queue_response(connection, reply.status, response);
    MHD_destroy_response(response);
    return sent;
}

MHD_Result on_request(void* contents, MHD_Connection* connection, const char* url,
                      const char* method, const char* /*version*/, const char* /*upload*/,
                      std::size_t* /*upload_size*/, void** /*state*/) noexcept {
    try {
        return send(connection, static_cast<Contents*>(contents)->reply_to(method, url));
    } catch (const std::exception&) {
        return MHD_NO;
    }
}

}  // namespace

void Server::Stop::operator()(MHD_Daemon* daemon) const {
    MHD_stop_daemon(daemon);
}

Result<Server> Server::on(const adapters::UniqueFd& listener, Contents& contents) {
    int listens = 0;
    socklen_t length = sizeof listens;
    if (::getsockopt(listener.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) != 0 ||
        listens == 0) {
        return fail(Errc::invalid_argument, "it was given no socket that listens");
    }
    // libmicrohttpd closes the one that it gets.
    const int given = ::fcntl(listener.get(), F_DUPFD_CLOEXEC, 0);
    if (given < 0 || ::fcntl(given, F_SETFL, O_NONBLOCK) != 0) {
        return tl::unexpected(system_error("the listening socket", errno));
    }
    MHD_Daemon* const daemon = MHD_start_daemon(
        MHD_NO_FLAG, 0, nullptr, nullptr, on_request, &contents, MHD_OPTION_LISTEN_SOCKET, given,
        MHD_OPTION_CONNECTION_LIMIT, kConnectionsMax, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, kMemoryBytes, MHD_OPTION_END);
    if (daemon == nullptr) {
        return fail(Errc::system, "libmicrohttpd does not take the listening socket");
    }
    return Server(daemon);
}

Result<void> Server::run(std::chrono::milliseconds at_most) {
    if (MHD_run_wait(daemon_.get(), static_cast<int>(at_most.count())) != MHD_YES) {
        return fail(Errc::system, "libmicrohttpd cannot continue");
    }
    return {};
}

}  // namespace vpnha::exporter
