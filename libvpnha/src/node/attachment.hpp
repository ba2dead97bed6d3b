// SPDX-License-Identifier: GPL-2.0-or-later
// Whether an agent has started the gateway on this node, and as which resource of Pacemaker. Pure.
//
//   state \ event | attach() | leave()  | end()
//   --------------+----------+----------+---------
//   detached      | attached | XXX      | -
//   attached      | - (1)    | leaving  | detached
//   leaving       | - (1)    | -        | detached
//
//   (1) but for the resource's name.
#pragma once

#include <string>
#include <utility>

#include "base/assert.hpp"

namespace vpnha::node {

class Attachment {
  public:
    // False: it was attached already.
    bool attach(std::string resource) {
        resource_ = std::move(resource);
        const bool is_new = state_ == State::detached;
        state_ = is_new ? State::attached : state_;
        return is_new;
    }
    // It is demoted first: until end() it is attached, and hears the group.
    void leave() {
        VPNHA_ASSERT(attached());
        state_ = State::leaving;
    }
    void end() { state_ = State::detached; }

    [[nodiscard]] bool attached() const { return state_ != State::detached; }
    [[nodiscard]] bool leaving() const { return state_ == State::leaving; }
    // The last one; empty: there was none since the start of vpnhad.
    [[nodiscard]] const std::string& resource() const { return resource_; }

  private:
    enum class State { detached, attached, leaving };
    State state_ = State::detached;
    std::string resource_;
};

}  // namespace vpnha::node
