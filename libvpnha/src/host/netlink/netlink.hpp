// SPDX-License-Identifier: GPL-2.0-or-later
// Netlink as this project uses it: one request, its answers, its acknowledgement, in one call. The
// kernel answers rtnetlink and generic netlink within the send call, so nothing here waits.
//
// Errors keep the kernel's report: its class is the code (already_exists, not_found), its extended
// acknowledgement is in the detail.
#pragma once

#include <libmnl/libmnl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/bytes.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

struct CloseNetlink {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using OwnedNetlink = std::unique_ptr<mnl_socket, CloseNetlink>;

// A request under construction. Requests of this project are small and of known shape, so
// outgrowing the buffer is a programming error.
class NetlinkRequest {
  public:
    NetlinkRequest(std::uint16_t type, std::uint16_t flags);

    // Room for the family's own header, zeroed.
    template <class Header>
    Header& header() {
        return *static_cast<Header*>(mnl_nlmsg_put_extra_header(message(), sizeof(Header)));
    }
    NetlinkRequest& u8(std::uint16_t type, std::uint8_t value);
    NetlinkRequest& u16(std::uint16_t type, std::uint16_t value);
    NetlinkRequest& u32(std::uint16_t type, std::uint32_t value);
    NetlinkRequest& bytes(std::uint16_t type, ByteView value);
    NetlinkRequest& text(std::uint16_t type, std::string_view value);
    // Attributes added by `fill` become the content of one nested attribute.
    NetlinkRequest& nested(std::uint16_t type, const std::function<void()>& fill);

    [[nodiscard]] nlmsghdr* message();

  private:
    alignas(nlmsghdr) std::array<char, 2048> buffer_{};
};

class NetlinkSocket {
  public:
    using OnMessage = std::function<void(const nlmsghdr*)>;

    // `bus` is NETLINK_ROUTE or NETLINK_GENERIC; in the network namespace of the calling thread.
    [[nodiscard]] static Result<NetlinkSocket> open(int bus);

    // Sends and reads until the acknowledgement or the end of the dump; `on_message` receives the
    // messages before it. `what` opens the detail of an error.
    Result<void> ask(NetlinkRequest& request, std::string_view what,
                     const OnMessage& on_message = nullptr);

    // Dumps hold only what the request's header and attributes name, on kernels since 4.20; callers
    // still check.
    void ask_for_filtered_dumps() const;

    // Whether the last dump's objects changed meanwhile: it may miss one that always existed.
    [[nodiscard]] bool was_interrupted() const { return was_interrupted_; }

    // Its address, which the kernel puts into its events for others.
    [[nodiscard]] std::uint32_t port() const { return mnl_socket_get_portid(socket_.get()); }

  private:
    explicit NetlinkSocket(mnl_socket* socket) : socket_(socket) {}

    OwnedNetlink socket_;
    std::uint32_t sequence_ = 0;
    bool was_interrupted_ = false;
};

// Reads all events of a non-blocking socket, one by one. False: some were lost.
[[nodiscard]] bool read_news(mnl_socket* socket, const NetlinkSocket::OnMessage& on_message);

// Calls `on_attribute` for each attribute after a family header of `header_bytes`.
void for_each_attribute(const nlmsghdr* message, std::size_t header_bytes,
                        const std::function<void(const nlattr*)>& on_attribute);
// The same for the attributes within a nested one.
void for_each_nested(const nlattr* nest, const std::function<void(const nlattr*)>& on_attribute);

}  // namespace vpnha::adapters
