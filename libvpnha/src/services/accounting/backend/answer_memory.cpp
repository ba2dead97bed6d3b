// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/accounting/backend/answer_memory.hpp"

namespace vpnha::adapters {

const Bytes* AnswerMemory::find(const Request& request, TimePoint now) {
    while (!order_.empty() && order_.front().first + kAnswerKept < now) {
        forget_oldest();
    }
    const auto found = answers_.find(request);
    return found == answers_.end() ? nullptr : &found->second;
}

void AnswerMemory::put(const Request& request, Bytes answer, TimePoint now) {
    if (order_.size() == kAnswersMax) {
        forget_oldest();
    }
    if (answers_.emplace(request, std::move(answer)).second) {
        order_.emplace_back(now, request);
    }
}

void AnswerMemory::forget_oldest() {
    answers_.erase(order_.front().second);
    order_.pop_front();
}

}  // namespace vpnha::adapters
