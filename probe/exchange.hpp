// SPDX-License-Identifier: GPL-2.0-or-later
// A conversation with a server by datagrams, begun by a client. Pure: answers go in, and the caller
// asks for what has to be sent. It has no clock: the caller repeats requests without an answer,
// measures the times, and gives up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "vpnha/result.hpp"

namespace vpnha::probe {

class Exchange {
  public:
    Exchange() = default;
    virtual ~Exchange() = default;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    // The current step, as perfdata names it; after the end the last step.
    [[nodiscard]] virtual std::string_view step() const = 0;
    [[nodiscard]] virtual bool is_over() const = 0;
    // The request of the step. Empty: the server sends next.
    [[nodiscard]] virtual const Bytes& request() const = 0;
    // The step was not answered, and is asked again. An exchange that may not repeat a request
    // makes another one.
    virtual void repeat() {}
    // Other datagrams change nothing. Error unreachable: the server answers, and refuses.
    [[nodiscard]] virtual Result<void> on_datagram(ByteView datagram) = 0;
    // To be sent once, before anything else: answers to the server's own requests.
    [[nodiscard]] virtual std::vector<Bytes> take_answers() { return {}; }
    // To be sent once at the end, in any case, so that the server keeps nothing. Empty: it keeps
    // nothing anyway.
    [[nodiscard]] virtual Bytes closing_message() const { return {}; }
    // Why the datagrams were no answers, for a step that ends without one. Empty: none came.
    [[nodiscard]] virtual std::string hint() const { return {}; }
};

}  // namespace vpnha::probe
