// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of RADIUS servers, as anybody may send them: parsed before it is known who did. Each is
// answered as well, and looked at as if its digests had been right.
#include "base/assert.hpp"
#include "services/accounting/backend/authorization_packet.hpp"
#include "services/accounting/model/account_record.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    const ByteView secret = to_bytes("a secret");
    const auto request = adapters::parse_authorization(bytes);
    if (!request) {
        return 0;
    }
    VPNHA_ASSERT(is_sound(request->change.rate.value_or(Rate{})));
    const bool authentic = adapters::is_authentic(bytes, secret);
    VPNHA_ASSERT(!authentic || request->is_signed);
    if (const auto& session = request->identity.session) {
        const auto name = keepers::parse_session_id(*session);
        VPNHA_ASSERT(!name || keepers::session_id_of(name->gateway, name->id) == *session);
    }
    for (const auto cause : {std::optional<adapters::ErrorCause>(), request->flaw}) {
        const auto answer = adapters::encode_authorization_answer(*request, cause, secret);
        VPNHA_ASSERT(answer && answer->size() >= adapters::kRadiusHeaderBytes);
        // An answer is no request.
        VPNHA_ASSERT(!adapters::parse_authorization(*answer));
    }
    return 0;
}
