// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/secret_listing.hpp"

#include <linux/netlink.h>
#include <sodium.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/limits.hpp"
#include "host/netlink/netlink_train.hpp"

namespace vpnha::adapters {

namespace {

class WipedAnswer {
  public:
    WipedAnswer() = default;
    ~WipedAnswer() { sodium_memzero(octets_.data(), octets_.size()); }
    WipedAnswer(const WipedAnswer&) = delete;
    WipedAnswer& operator=(const WipedAnswer&) = delete;
    [[nodiscard]] char* data() { return octets_.data(); }
    [[nodiscard]] std::size_t size() const { return octets_.size(); }

  private:
    alignas(nlmsghdr) std::array<char, limits::kNetlinkAnswerBytesMax> octets_{};
};

// A listing that failed half-way ends like any other, with its errno (netlink_dump(),
// net/netlink/af_netlink.c).
int error_at_end(const nlmsghdr* message) {
    int code = 0;
    if (mnl_nlmsg_get_payload_len(message) >= sizeof code) {
        std::memcpy(&code, mnl_nlmsg_get_payload(message), sizeof code);
    }
    return -code;
}

}  // namespace

Result<int> list_secrets(int bus, const nlmsghdr* question, const std::string& what,
                         const std::function<void(const nlmsghdr*)>& on_message) {
    VPNHA_TRY(const OwnedNetlink socket, open_netlink(bus, limits::kNetlinkAnswerBytesMax));
    if (mnl_socket_sendto(socket.get(), question, question->nlmsg_len) < 0) {
        return tl::unexpected(system_error(what, errno));
    }
    WipedAnswer answer;
    for (;;) {
        const ssize_t got =
            ::recv(mnl_socket_get_fd(socket.get()), answer.data(), answer.size(), 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return tl::unexpected(system_error(what, errno));
        }
        int left = static_cast<int>(got);
        for (auto* message = reinterpret_cast<const nlmsghdr*>(answer.data());
             mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            if (message->nlmsg_type == NLMSG_DONE) {
                return error_at_end(message);
            }
            if (message->nlmsg_type == NLMSG_ERROR) {
                return error_of(message);
            }
            on_message(message);
        }
    }
}

}  // namespace vpnha::adapters
