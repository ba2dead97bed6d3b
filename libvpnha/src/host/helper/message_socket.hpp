// SPDX-License-Identifier: GPL-2.0-or-later
// One end of a pair of sockets between vpnhad and a helper program: whole messages, each with
// descriptors if needed (unix(7), SOCK_SEQPACKET, SCM_RIGHTS). Neither end waits for the other:
// messages that the kernel does not accept yet wait in a queue.
//
// A message may have a key in it. Its octets are wiped when it was sent, and after on_message().
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class MessageSocket {
  public:
    static constexpr std::size_t kMessageBytesMax = 16 * 1024;
    static constexpr std::size_t kDescriptorsMax = 2;
    // Whether the other end may send descriptors. Those from a helper are refused unseen.
    enum class Descriptors { taken, refused };
    using OnMessage = std::function<Result<void>(ByteView message, std::span<UniqueFd> with)>;

    // Both ends; neither blocks, both are closed on exec.
    [[nodiscard]] static Result<std::pair<UniqueFd, UniqueFd>> make_pair();

    MessageSocket(UniqueFd fd, Descriptors descriptors)
        : fd_(std::move(fd)), descriptors_(descriptors), room_(kMessageBytesMax + 1) {}
    ~MessageSocket();
    MessageSocket(const MessageSocket&) = delete;
    MessageSocket& operator=(const MessageSocket&) = delete;

    [[nodiscard]] int fd() const { return fd_.get(); }
    // Messages are sent in this order, with copies of the descriptors, which stay the caller's.
    // Error: the other end is gone, or the kernel refuses.
    [[nodiscard]] Result<void> post(Bytes message, std::span<const int> with = {});
    // Sends waiting messages, as far as the kernel accepts them.
    [[nodiscard]] Result<void> flush();
    [[nodiscard]] std::size_t waiting() const { return queue_.size(); }
    // Handles at most so many of the received messages; an error of `on_message` ends it. Error
    // unreachable: the other end is closed. Malformed: a message that is too long.
    [[nodiscard]] Result<void> receive(std::size_t messages_max, const OnMessage& on_message);

  private:
    struct Waiting {
        Bytes message;
        std::vector<UniqueFd> with;
    };

    UniqueFd fd_;
    Descriptors descriptors_;
    std::deque<Waiting> queue_;
    Bytes room_;
};

}  // namespace vpnha::adapters
