// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes on the plugin's socket: at vpnhad's end a sane session or an error, and at pppd's end a
// verdict within its bounds.
#include <cstring>

#include "base/assert.hpp"
#include "protocols/l2tp/model/session_record.hpp"
#include "protocols/ppp/backend/plugin_message.hpp"
#include "protocols/pptp/model/call_record.hpp"

extern "C" {
#include "message.h"
}

using namespace vpnha;
using namespace vpnha::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Result<PluginMessage> message = parse_plugin_message(ByteView{data, size});
    if (message) {
        if (const auto* const up = std::get_if<PluginSessionUp>(&*message)) {
            VPNHA_ASSERT(ppp::validate(up->facts).has_value());
            VPNHA_ASSERT(is_sound(up->rate.rate().value_or(Rate{})));
            const Ipv4Endpoint local{Ipv4Address{0xc0000264}, 1701};
            if (const auto key = l2tp::parse_plugin_ids(up->ids, local)) {
                VPNHA_ASSERT(l2tp::parse_key(l2tp::encode_key(*key)) == *key);
            }
            if (const auto ids = pptp::parse_plugin_ids(up->ids, local)) {
                VPNHA_ASSERT(ids->keys.size() == (ids->mppe == pptp::Mppe::none ? 0U : 32U));
                VPNHA_ASSERT(ids->keys.empty() ||
                             (ids->keys.data() > data && ids->keys.data() + 32 <= data + size));
            }
            VPNHA_ASSERT(up->pid != 0 &&
                         up->not_resumable.size() + up->done_by_scripts.size() <= 32);
        }
    }
    const vpnha_answer answer = vpnha_parse_answer(data, size);
    if (answer.kind != VPNHA_UNPROTECTED && answer.kind != VPNHA_REFUSED) {
        VPNHA_ASSERT(answer.reason[0] == '\0');
    }
    VPNHA_ASSERT(strnlen(answer.reason, sizeof answer.reason) <= VPNHA_REASON_BYTES_MAX);
    VPNHA_ASSERT(answer.kind == VPNHA_GIVEN || answer.address == 0);
    VPNHA_ASSERT(answer.rate.length == 0 || answer.kind == VPNHA_CHANGED);
    return 0;
}
