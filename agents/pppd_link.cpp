// SPDX-License-Identifier: GPL-2.0-or-later
// ocf:vpnha:pppd mode=link: one outgoing link of L2TP or PPTP, on one node. pppd and xl2tpd redial
// by themselves; Pacemaker moves the link when its node dies, or when it has been down for too
// long.
#include <fmt/format.h>

#include "base/number.hpp"
#include "pppd.hpp"
#include "protocols/ppp/service/ppp_link_service.hpp"
#include "vpnhad.hpp"

namespace vpnha::agents {

namespace {

using adapters::PppLinkService;
using adapters::PppLinkSettings;
using adapters::PppLinkStatus;
using ocf::Call;
using ocf::Code;
using ocf::Level;
using ocf::Outcome;

// Of a start's time: what a link that did not come up takes to be stopped, so that the reason is
// the agent's and not Pacemaker's.
constexpr auto kStopMargin = std::chrono::seconds(10);

PppLinkService service(const Call& call) {
    return {call.instance(), VPNHA_LINK_UP_PROGRAM, VPNHA_LINK_DOWN_PROGRAM};
}

Outcome outcome_of_link(const Error& error) {
    // What does not parse here parses nowhere.
    return error.code == Errc::invalid_config ? Outcome{Code::configured, error.detail}
                                              : ocf::outcome_of(error);
}

Outcome outcome_of_link(const Result<void>& result) {
    return result ? Outcome{} : outcome_of_link(result.error());
}

// 0: there is none.
Result<std::chrono::seconds> redial_limit(const Call& call) {
    const std::string text = call.parameter("redial_limit");
    const auto whole = text.empty() ? 0 : parse_whole<std::uint32_t>(text);
    if (!whole) {
        return fail(Errc::invalid_config,
                    fmt::format("redial_limit is \"{}\": it has to be a number of seconds, without "
                                "a unit",
                                text));
    }
    return std::chrono::seconds(*whole);
}

Result<PppLinkSettings> settings(const Call& call) {
    VPNHA_CHECK(redial_limit(call));
    return adapters::parse_ppp_link(call.instance(),
                                    {.protocol = call.parameter("protocol"),
                                     .peer = call.parameter("peer"),
                                     .user = call.parameter("user"),
                                     .secret_file = call.parameter("secret_file"),
                                     .interface = call.parameter("interface"),
                                     .routes = call.parameter("routes"),
                                     .mppe = call.parameter("mppe"),
                                     .mtu = call.parameter("mtu"),
                                     .local_port = call.parameter("local_port"),
                                     .options_file = call.parameter("options_file")});
}

Outcome start(const Call& call) {
    if (Outcome outcome = refused_if_fenced(call); outcome.code != Code::success) {
        return outcome;
    }
    const auto wanted = settings(call);
    if (!wanted) {
        return outcome_of_link(wanted.error());
    }
    PppLinkService link = service(call);
    if (const auto begun = link.start(*wanted); !begun) {
        return outcome_of_link(begun.error());
    }
    const auto up = link.wait_up(*wanted, start_patience(call, kStopMargin));
    if (!up) {
        if (const auto stopped = link.stop(); !stopped) {
            call.log(Level::warning, stopped.error().detail);
        }
    }
    return outcome_of_link(up);
}

Outcome stop(const Call& call) {
    // A name that no link can have: nothing can have been started by it.
    if (!adapters::check_ppp_link_name(call.instance())) {
        return {};
    }
    return outcome_of_link(service(call).stop());
}

Outcome judge(const Call& call, const PppLinkStatus& status) {
    const std::string for_so_long =
        fmt::format("redialling for {} s",
                    std::chrono::duration_cast<std::chrono::seconds>(status.lasts).count());
    const std::string why = status.trouble.why.empty() ? "" : ": " + status.trouble.why;
    const auto limit = redial_limit(call).value_or(std::chrono::seconds(0));
    if (limit.count() > 0 && status.lasts > limit) {
        return {Code::error, for_so_long + ", which is more than redial_limit" + why};
    }
    const std::string found = for_so_long + why;
    call.log(Level::warning, found);
    return {Code::degraded, found};
}

Outcome monitor(const Call& call) {
    const auto wanted = settings(call);
    if (!wanted) {
        return outcome_of_link(wanted.error());
    }
    const auto status = service(call).status(*wanted);
    if (!status) {
        return outcome_of_link(status.error());
    }
    switch (status->state) {
        case PppLinkStatus::State::up:
            return {};
        case PppLinkStatus::State::stopped:
            return {Code::not_running};
        case PppLinkStatus::State::redialling:
            return judge(call, *status);
        case PppLinkStatus::State::dead:
            break;
    }
    return {Code::error,
            "nothing dials the link any more, because its daemon has died; the system log may have "
            "the reason"};
}

Outcome reload(const Call& call) {
    const auto wanted = settings(call);
    return wanted ? outcome_of_link(service(call).change_routes(*wanted))
                  : outcome_of_link(wanted.error());
}

Outcome validate(const Call& call) {
    return outcome_of_link(settings(call).and_then(&PppLinkService::check));
}

}  // namespace

const PppdMode& pppd_link() {
    static constexpr PppdMode kMode{
        .start = start, .stop = stop, .monitor = monitor, .reload = reload, .validate = validate};
    return kMode;
}

}  // namespace vpnha::agents
