// SPDX-License-Identifier: GPL-2.0-or-later
// Netlink requests in trains: many in one send call, with one acknowledgement, and an answer for
// each that was refused. The kernel answers within the send call, so nothing here waits.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

// With a receive buffer of so many octets, if the kernel permits it.
[[nodiscard]] Result<OwnedNetlink> open_netlink(int bus, std::size_t receive_bytes);
// The kernel's errno in an answer of the type NLMSG_ERROR; 0: an acknowledgement.
[[nodiscard]] int error_of(const nlmsghdr* message);

class NetlinkTrain {
  public:
    struct Options {
        int bus = 0;
        std::size_t requests_max = 0;
        std::size_t request_bytes_max = 0;
        std::string what;        // Opens the detail of an error.
        bool is_secret = false;  // Requests hold keys: they are wiped when they are sent.
    };
    // Writes the n-th request of a train; the buffer has room for request_bytes_max.
    using Write = std::function<nlmsghdr*(char* buffer, std::size_t n)>;
    // Further messages of the kernel for the n-th request.
    using OnMessage = std::function<void(std::size_t n, const nlmsghdr* message)>;

    // In the network namespace of the calling thread.
    [[nodiscard]] static Result<NetlinkTrain> open(Options options);

    // The kernel's answer (errno, 0: accepted) to each of `count` requests.
    Result<std::vector<int>> ask(std::size_t count, const Write& write,
                                 const OnMessage& on_message = nullptr);

  private:
    NetlinkTrain(Options options, OwnedNetlink socket)
        : options_(std::move(options)), socket_(std::move(socket)) {}

    Result<void> read_answers(std::uint32_t first, std::vector<int>& answers,
                              const OnMessage& on_message);

    Options options_;
    OwnedNetlink socket_;
    std::uint32_t sequence_ = 0;
    std::vector<char> requests_;
    std::vector<char> answers_;
};

}  // namespace vpnha::adapters
