// SPDX-License-Identifier: GPL-2.0-or-later
// The agents' requests that wait for the transition under way, and the step that failed in it.
// Pure.
//
// A promotion, and a demotion that overtook it, have each their own answer: the promotion has
// failed when the gateway does not serve at the end.
#pragma once

#include <string>
#include <vector>

#include "cluster/effects/effects.hpp"

namespace vpnha::node {

class Transition {
  public:
    void wait_for_promotion(RequestToken request) { waiting_.push_back({request, true}); }
    void wait_for_demotion(RequestToken request) { waiting_.push_back({request, false}); }
    // The answer names the last failure.
    void fail(std::string why) { failure_ = std::move(why); }
    // It names this one only if there was none before.
    void fail_after(std::string why);

    // No answer would be an error.
    [[nodiscard]] bool satisfies_all(bool succeeded, bool serves) const;
    // The transition is over. Answers everybody, and forgets the failure.
    void finish(bool succeeded, bool serves, Effects& effects);
    // It continues, and nobody has to wait for its end any more.
    void answer_early(Effects& effects);

  private:
    struct Waiting {
        RequestToken token{};
        bool promotion = false;
    };
    [[nodiscard]] Result<void> result_of(const Waiting& waiting, bool succeeded, bool serves) const;

    std::vector<Waiting> waiting_;
    std::string failure_;
};

}  // namespace vpnha::node
