// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/netlink/netlink.hpp"

#include <fmt/format.h>
#include <linux/netlink.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "host/os/network_descriptor.hpp"

namespace vpnha::adapters {

namespace {

Errc class_of(int error_number) {
    switch (error_number) {
        case EEXIST:
            return Errc::already_exists;
        case ENOENT:
        case ENODEV:
        case ESRCH:
        case EADDRNOTAVAIL:
            return Errc::not_found;
        case EPERM:
        case EACCES:
            return Errc::permission;
        case EOPNOTSUPP:
        case EPROTONOSUPPORT:
        case EAFNOSUPPORT:
            return Errc::unsupported;
        default:
            return Errc::system;
    }
}

// The kernel's own text for an error, if it has some.
std::string extended_text(const nlmsghdr* message) {
    if ((message->nlmsg_flags & NLM_F_ACK_TLVS) == 0) {
        return {};
    }
    const auto* const error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message));
    std::size_t header_bytes = sizeof(nlmsgerr);
    if ((message->nlmsg_flags & NLM_F_CAPPED) == 0) {
        header_bytes += mnl_nlmsg_get_payload_len(&error->msg);
    }
    std::string text;
    for_each_attribute(message, header_bytes, [&text](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
            mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0) {
            text = mnl_attr_get_str(attribute);
        }
    });
    return text;
}

void walk(const void* begin, const void* end,
          const std::function<void(const nlattr*)>& on_attribute) {
    const auto* const stop = static_cast<const char*>(end);
    for (auto* attribute = static_cast<const nlattr*>(begin);
         mnl_attr_ok(attribute, static_cast<int>(stop - reinterpret_cast<const char*>(attribute)));
         attribute = mnl_attr_next(attribute)) {
        on_attribute(attribute);
    }
}

Result<void> acknowledged(const nlmsghdr* message, std::string_view what) {
    if (mnl_nlmsg_get_payload_len(message) < sizeof(nlmsgerr)) {
        return fail(Errc::malformed, fmt::format("{}: short answer from the kernel", what));
    }
    const int code = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message))->error;
    if (code == 0) {
        return {};
    }
    Error error = system_error(what, -code);
    error.code = class_of(-code);
    if (const std::string text = extended_text(message); !text.empty()) {
        error.detail += fmt::format(" ({})", text);
    }
    return tl::unexpected(std::move(error));
}

}  // namespace

NetlinkRequest::NetlinkRequest(std::uint16_t type, std::uint16_t flags) {
    nlmsghdr* const header = mnl_nlmsg_put_header(buffer_.data());
    header->nlmsg_type = type;
    header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
}

nlmsghdr* NetlinkRequest::message() {
    return reinterpret_cast<nlmsghdr*>(buffer_.data());
}

NetlinkRequest& NetlinkRequest::u8(std::uint16_t type, std::uint8_t value) {
    VPNHA_ASSERT(mnl_attr_put_u8_check(message(), buffer_.size(), type, value));
    return *this;
}

NetlinkRequest& NetlinkRequest::u16(std::uint16_t type, std::uint16_t value) {
    VPNHA_ASSERT(mnl_attr_put_u16_check(message(), buffer_.size(), type, value));
    return *this;
}

NetlinkRequest& NetlinkRequest::u32(std::uint16_t type, std::uint32_t value) {
    VPNHA_ASSERT(mnl_attr_put_u32_check(message(), buffer_.size(), type, value));
    return *this;
}

NetlinkRequest& NetlinkRequest::bytes(std::uint16_t type, ByteView value) {
    VPNHA_ASSERT(mnl_attr_put_check(message(), buffer_.size(), type, value.size(), value.data()));
    return *this;
}

NetlinkRequest& NetlinkRequest::text(std::uint16_t type, std::string_view value) {
    VPNHA_ASSERT(
        mnl_attr_put_strz_check(message(), buffer_.size(), type, std::string(value).c_str()));
    return *this;
}

NetlinkRequest& NetlinkRequest::nested(std::uint16_t type, const std::function<void()>& fill) {
    nlattr* const nest = mnl_attr_nest_start_check(message(), buffer_.size(), type);
    VPNHA_ASSERT(nest != nullptr);
    fill();
    mnl_attr_nest_end(message(), nest);
    return *this;
}

Result<NetlinkSocket> NetlinkSocket::open(int bus) {
    mnl_socket* const raw = open_netlink(bus);
    if (raw == nullptr) {
        return tl::unexpected(system_error("open a netlink socket", errno));
    }
    NetlinkSocket socket(raw);
    if (mnl_socket_bind(raw, 0, MNL_SOCKET_AUTOPID) < 0) {
        return tl::unexpected(system_error("bind a netlink socket", errno));
    }
    // Both only make errors more detailed: a kernel without them is no failure.
    int on = 1;
    static_cast<void>(mnl_socket_setsockopt(raw, NETLINK_EXT_ACK, &on, sizeof on));
    static_cast<void>(mnl_socket_setsockopt(raw, NETLINK_CAP_ACK, &on, sizeof on));
    return socket;
}

void NetlinkSocket::ask_for_filtered_dumps() const {
    int on = 1;
    static_cast<void>(mnl_socket_setsockopt(socket_.get(), NETLINK_GET_STRICT_CHK, &on, sizeof on));
}

Result<void> NetlinkSocket::ask(NetlinkRequest& request, std::string_view what,
                                const OnMessage& on_message) {
    nlmsghdr* const message = request.message();
    message->nlmsg_seq = ++sequence_;
    const bool dump = (message->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    if (!dump) {
        message->nlmsg_flags |= NLM_F_ACK;
    }
    if (mnl_socket_sendto(socket_.get(), message, message->nlmsg_len) < 0) {
        return tl::unexpected(system_error(what, errno));
    }
    was_interrupted_ = false;
    std::vector<char> buffer(limits::kNetlinkAnswerBytesMax);
    for (;;) {
        const ssize_t got = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return tl::unexpected(system_error(what, errno));
        }
        int left = static_cast<int>(got);
        for (auto* answer = reinterpret_cast<const nlmsghdr*>(buffer.data());
             mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
            if (answer->nlmsg_seq != sequence_) {
                continue;  // The rest of a request that failed half-way.
            }
            was_interrupted_ = was_interrupted_ || (answer->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            if (answer->nlmsg_type == NLMSG_ERROR) {
                return acknowledged(answer, what);
            }
            if (answer->nlmsg_type == NLMSG_DONE) {
                return {};
            }
            if (on_message) {
                on_message(answer);
            }
        }
    }
}

bool read_news(mnl_socket* socket, const NetlinkSocket::OnMessage& on_message) {
    std::vector<char> buffer(limits::kNetlinkAnswerBytesMax);
    for (;;) {
        const ssize_t got = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno == EAGAIN;
        }
        int left = static_cast<int>(got);
        for (auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
             mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            on_message(message);
        }
    }
}

void for_each_attribute(const nlmsghdr* message, std::size_t header_bytes,
                        const std::function<void(const nlattr*)>& on_attribute) {
    if (mnl_nlmsg_get_payload_len(message) < header_bytes) {
        return;
    }
    const auto offset = static_cast<unsigned>(header_bytes);
    walk(mnl_nlmsg_get_payload_offset(message, offset), mnl_nlmsg_get_payload_tail(message),
         on_attribute);
}

void for_each_nested(const nlattr* nest, const std::function<void(const nlattr*)>& on_attribute) {
    const auto* const begin = static_cast<const char*>(mnl_attr_get_payload(nest));
    walk(begin, begin + mnl_attr_get_payload_len(nest), on_attribute);
}

}  // namespace vpnha::adapters
