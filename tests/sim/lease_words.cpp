// SPDX-License-Identifier: GPL-2.0-or-later
#include "sim/lease_words.hpp"

#include <fmt/format.h>

#include <variant>

namespace vpnha::sim {

namespace {

struct Words {
    std::string operator()(const lease::Round& round) const {
        return round.held ? "" : fmt::format("claim {}", name(round.id));
    }
    std::string operator()(const lease::Answer& answer) const {
        return answer.before.knowledge == lease::Knowledge::nothing_before && !answer.handover
                   ? ""
                   : fmt::format("answer to {}{}", name(answer.id),
                                 answer.handover ? ", handed over" : "");
    }
    std::string operator()(const lease::Refusal& refusal) const {
        return fmt::format("refusal of {}: {}", name(refusal.id), to_string(refusal.reason));
    }
    std::string operator()(const lease::Release& release) const {
        return fmt::format("release of {}{}", to_string(release.epoch),
                           release.ordered ? ", ordered" : "");
    }
    std::string operator()(const lease::Question& question) const {
        return fmt::format("question {}", name(question.id));
    }
    std::string operator()(const lease::Opinion& opinion) const {
        return fmt::format("opinion on {}: {}", name(opinion.id), to_string(opinion.verdict));
    }
    template <class Other>
    std::string operator()(const Other& /*other*/) const {
        return "";
    }

    static std::string name(const lease::RoundId& id) {
        return fmt::format("{}#{}", to_string(id.epoch), id.number);
    }
};

}  // namespace

std::string in_words(const lease::Message& message) {
    return std::visit(Words{}, message);
}

}  // namespace vpnha::sim
