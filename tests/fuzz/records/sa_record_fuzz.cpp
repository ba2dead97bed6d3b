// SPDX-License-Identifier: GPL-2.0-or-later
// Records of IPsec SAs: an octet that says how long the id is, the id, the payload. What parses is
// coded with the very same octets, and can be fed to a charon.
#include <algorithm>

#include "base/assert.hpp"
#include "protocols/ipsec/model/charon_image.hpp"
#include "protocols/ipsec/model/open_request.hpp"

using namespace vpnha;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView{data, size});
    const ByteView id = in.take(std::min<std::size_t>(in.u8(), in.remaining()));
    const ByteView payload = in.rest();
    ipsec::SaSet sas;
    ipsec::IkeKey member;
    if (const auto sa = ipsec::parse_ike_sa(id, payload)) {
        VPNHA_ASSERT(std::ranges::equal(ipsec::encode_record(*sa), payload));
        member = sa->id.key;
        sas.put(*sa);
    }
    if (const auto child = ipsec::parse_child_sa(id, payload)) {
        VPNHA_ASSERT(std::ranges::equal(ipsec::encode_record(*child), payload));
        member = child->made;
        sas.put(*child);
    }
    if (const auto counters = ipsec::parse_esp_counters(id, payload)) {
        VPNHA_ASSERT(std::ranges::equal(ipsec::encode_record(*counters), payload));
    }
    if (const auto request = ipsec::parse_open_request(id, payload)) {
        VPNHA_ASSERT(std::ranges::equal(ipsec::encode_record(*request), payload));
        VPNHA_ASSERT(std::ranges::equal(ipsec::encode_id(*request), id));
    }
    ipsec::CharonImage image;
    static_cast<void>(image.feed(member, sas));
    VPNHA_ASSERT(image.feed(member, sas).messages.empty());
    return 0;
}
