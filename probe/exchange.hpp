// SPDX-License-Identifier: GPL-2.0-or-later
// A conversation with a server by datagrams, as a client begins it. Pure: answers go in, and what
// is to be sent is asked for. It has no clock: who carries it out sends again what is not answered,
// takes the times, and gives up.
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

    // What is under way, as perfdata names it; of an exchange that is over its last step.
    [[nodiscard]] virtual std::string_view step() const = 0;
    [[nodiscard]] virtual bool is_over() const = 0;
    // What the step asks. Empty: the server speaks next.
    [[nodiscard]] virtual const Bytes& request() const = 0;
    // The step was not answered, and is asked again: who may not ask the same twice makes another
    // request.
    virtual void repeat() {}
    // What is no answer changes nothing. Error unreachable: the server answers, and refuses.
    [[nodiscard]] virtual Result<void> on_datagram(ByteView datagram) = 0;
    // To be sent once, before anything else: the server has asked something, too.
    [[nodiscard]] virtual std::vector<Bytes> take_answers() { return {}; }
    // To be sent once at the end, whatever it is, so that the server keeps nothing. Empty: it keeps
    // nothing by itself.
    [[nodiscard]] virtual Bytes closing_message() const { return {}; }
    // Why what came was no answer, for a step that ends without one. Empty: nothing came.
    [[nodiscard]] virtual std::string hint() const { return {}; }
};

}  // namespace vpnha::probe
