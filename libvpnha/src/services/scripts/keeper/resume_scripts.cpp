// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/scripts/keeper/resume_scripts.hpp"

#include <utility>

namespace vpnha::keepers {

void ResumeScripts::up(const wire::RecordKey& session, node::ScriptFacts facts, Effects& effects) {
    if (on_ && up_.insert(session).second) {
        effects.emplace_back(node::RunUpScripts{gateway_.id(), session, std::move(facts)});
    }
}

void ResumeScripts::down(const wire::RecordKey& session, Effects& effects) {
    if (up_.erase(session) != 0) {
        effects.emplace_back(node::RunDownScripts{gateway_.id(), session});
    }
}

void ResumeScripts::down_all(Effects& effects) {
    for (const wire::RecordKey& session : std::exchange(up_, {})) {
        effects.emplace_back(node::RunDownScripts{gateway_.id(), session});
    }
}

void ResumeScripts::stock_down(const wire::RecordKey& session, node::ScriptFacts facts,
                               std::string interface, Effects& effects) const {
    if (on_) {
        effects.emplace_back(node::RunStockDownScripts{gateway_.id(), session, std::move(facts),
                                                       std::move(interface)});
    }
}

}  // namespace vpnha::keepers
