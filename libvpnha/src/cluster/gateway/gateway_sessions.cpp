// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/gateway/gateway_sessions.hpp"

#include <fmt/format.h>

#include "services/drain/keeper/drain.hpp"

namespace vpnha::node {

Result<void> GatewaySessions::check_promoted() const {
    if (parts_.replica.promoted()) {
        return {};
    }
    const std::optional<NodeId> holder = parts_.replica.holder();
    return fail(Errc::busy,
                holder ? fmt::format("{} is promoted for gateway {}: ask there",
                                     parts_.view.name_of(*holder), parts_.settings.name)
                       : fmt::format("no node is promoted for gateway {}", parts_.settings.name));
}

Result<void> GatewaySessions::check_received() const {
    VPNHA_CHECK(check_promoted());
    return parts_.keepers.is_received()
               ? Result<void>()
               : fail(Errc::busy, fmt::format("gateway {} has no lease at present: "
                                              "ask again",
                                              parts_.settings.name));
}

Result<void> GatewaySessions::end(const wire::RecordKey& session, TimePoint now, Effects& effects) {
    VPNHA_CHECK(check_received());
    return parts_.keepers.end(session, now, effects);
}

Result<ppp::Terms> GatewaySessions::change(const wire::RecordKey& session,
                                           const ppp::TermsChange& change, TimePoint now,
                                           Effects& effects) {
    VPNHA_CHECK(check_received());
    return parts_.keepers.change(session, change, now, effects);
}

Result<void> GatewaySessions::drain(std::optional<std::uint64_t> since_unix_ms, TimePoint now,
                                    Effects& effects) {
    VPNHA_CHECK(check_promoted());
    parts_.keepers.on_event(DrainOrder{since_unix_ms}, now, effects);
    const auto* const drained = parts_.keepers.find<keepers::Drain>();
    return drained == nullptr || drained->state().has_value() == since_unix_ms.has_value()
               ? Result<void>{}
               : fail(Errc::limit, "the replica has no room for the record of it");
}

}  // namespace vpnha::node
