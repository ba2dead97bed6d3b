// SPDX-License-Identifier: GPL-2.0-or-later
#include "echo/service/echo_service.hpp"

#include <utility>

#include "protocols/gateway_services.hpp"

namespace vpnha::echo {

namespace {

using adapters::StockInstance;

bool is_there(const StockInstance& daemon) {
    return daemon.process().has_value();
}

std::string why_ended(const StockInstance& /*daemon*/) {
    return "echod ended by itself; its program's output has the reason";
}

std::string why_not_ready(const StockInstance& /*daemon*/) {
    return "echod does not answer yet";
}

}  // namespace

const adapters::StockKind* stock_kind() {
    static const adapters::StockKind kKind{.name = "echod",
                                           .start_timeout = std::chrono::seconds(1),
                                           .end_patience = std::chrono::seconds(1),
                                           .is_ready = is_there,
                                           .is_serving = is_there,
                                           .why_ended = why_ended,
                                           .why_not_ready = why_not_ready};
    return &kKind;
}

adapters::StockStarted plan_echod(std::vector<std::string> program) {
    return {.arguments = std::move(program)};
}

}  // namespace vpnha::echo
