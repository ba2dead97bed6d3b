// SPDX-License-Identifier: GPL-2.0-or-later
// A message of the kernel's about an SA: one octet that says which, and what stands behind its
// header. What the kernel is told back is what was read, and never less.
#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "protocols/ipsec/backend/xfrm_message.hpp"

using namespace vpnha;
using namespace vpnha::adapters;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4096) {
        return 0;
    }
    std::vector<std::uint32_t> words((MNL_NLMSG_HDRLEN + size + 3) / 4);
    auto* const message = reinterpret_cast<nlmsghdr*>(words.data());
    message->nlmsg_len = static_cast<std::uint32_t>(MNL_NLMSG_HDRLEN + size - 1);
    message->nlmsg_type = *data;
    std::copy_n(data + 1, size - 1, static_cast<std::uint8_t*>(mnl_nlmsg_get_payload(message)));
    std::vector<std::uint32_t> request(kXfrmRequestBytesMax / 4);
    auto* const buffer = reinterpret_cast<char*>(request.data());
    const auto sa = parse_sa(message);
    if (sa) {
        VPNHA_ASSERT(put_sa_removal(buffer, *sa)->nlmsg_len <= kXfrmRequestBytesMax);
    }
    if (const auto replay = parse_replay(message)) {
        const ipsec::SaCounters wanted = sa.value_or(ipsec::SaCounters{});
        VPNHA_ASSERT(parse_replay(put_replay(buffer, wanted, *replay)) == replay);
        const SaReplay next = advanced(*replay, wanted);
        VPNHA_ASSERT(next.oseq >= replay->oseq && next.seq >= replay->seq);
        VPNHA_ASSERT(next.bitmap.size() == replay->bitmap.size());
    }
    return 0;
}
