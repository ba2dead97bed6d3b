// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/transition.hpp"

#include <algorithm>
#include <utility>

namespace vpnha::node {

void Transition::fail_after(std::string why) {
    if (failure_.empty()) {
        failure_ = std::move(why);
    }
}

Result<void> Transition::result_of(const Waiting& waiting, bool succeeded, bool serves) const {
    if (succeeded && (!waiting.promotion || serves)) {
        return {};
    }
    return vpnha::fail(Errc::system, failure_.empty() ? "the transition was overtaken" : failure_);
}

bool Transition::satisfies_all(bool succeeded, bool serves) const {
    return succeeded && std::all_of(waiting_.begin(), waiting_.end(), [&](const Waiting& each) {
               return result_of(each, succeeded, serves).has_value();
           });
}

void Transition::finish(bool succeeded, bool serves, Effects& effects) {
    for (const Waiting& each : std::exchange(waiting_, {})) {
        effects.emplace_back(AnswerRequest{each.token, result_of(each, succeeded, serves)});
    }
    failure_.clear();
}

void Transition::answer_early(Effects& effects) {
    for (const Waiting& each : std::exchange(waiting_, {})) {
        effects.emplace_back(AnswerRequest{each.token, {}});
    }
}

}  // namespace vpnha::node
