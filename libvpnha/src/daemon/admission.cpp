// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/admission.hpp"

#include <fmt/format.h>

#include <utility>

namespace vpnha::runtime {

namespace {

constexpr double kBelow = 5.0;
// The weight of one reading in the average: some ten seconds count.
constexpr double kShare = 0.2;

}  // namespace

std::optional<effects::Log> Admission::on_load(const Load& load) {
    if (load.processor) {
        processor_ += kShare * (*load.processor - processor_);
    }
    const struct {
        const char* name;
        std::uint32_t mark;
        std::optional<double> used;
    } all[] = {{"conntrack", marks_.conntrack, load.conntrack},
               {"descriptors", marks_.descriptors, load.descriptors},
               {"memory", marks_.memory, load.memory},
               {"processor", marks_.processor, processor_}};
    const double below = closed() ? kBelow : 0.0;
    std::vector<std::string> causes;
    std::string words;
    for (const auto& each : all) {
        if (each.mark != 0 && each.used && *each.used >= each.mark - below) {
            causes.emplace_back(each.name);
            words += fmt::format("{}{} {:.0f} %", words.empty() ? "" : ", ", each.name, *each.used);
        }
    }
    const bool was_closed = closed();
    causes_ = std::move(causes);
    if (was_closed == closed()) {
        return std::nullopt;
    }
    if (was_closed) {
        return effects::Log{LogLevel::info, "new clients are accepted again event=admission-open"};
    }
    ++closures_;
    return effects::Log{
        LogLevel::warning,
        fmt::format("this node accepts no new clients event=admission-closed: {} of it are used",
                    words)};
}

}  // namespace vpnha::runtime
