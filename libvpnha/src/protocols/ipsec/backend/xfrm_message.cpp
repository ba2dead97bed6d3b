// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/ipsec/backend/xfrm_message.hpp"

#include <arpa/inet.h>
#include <linux/xfrm.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/assert.hpp"
#include "host/netlink/netlink.hpp"

namespace vpnha::adapters {

namespace {

using ipsec::SaCounters;

constexpr std::size_t kReplayWordsMax = XFRMA_REPLAY_ESN_MAX / 32;
constexpr std::uint32_t kFullWord = 0xffffffff;
constexpr std::uint64_t kLastShortNumber = 0xffffffff;

// xfrm_replay_state_esn without the bitmap at its end.
struct ExtendedHead {
    std::uint32_t words;
    std::uint32_t oseq;
    std::uint32_t seq;
    std::uint32_t oseq_high;
    std::uint32_t seq_high;
    std::uint32_t window;
};
static_assert(sizeof(ExtendedHead) == sizeof(xfrm_replay_state_esn));

std::uint64_t joined(std::uint32_t high, std::uint32_t low) {
    return std::uint64_t{high} << 32 | low;
}
std::uint32_t high_of(std::uint64_t number) {
    return static_cast<std::uint32_t>(number >> 32);
}
std::uint32_t low_of(std::uint64_t number) {
    return static_cast<std::uint32_t>(number);
}

std::optional<IpAddress> address_of(const xfrm_address_t& address, std::uint16_t family) {
    if (family != AF_INET && family != AF_INET6) {
        return std::nullopt;
    }
    return ip_address_of(
        {reinterpret_cast<const std::uint8_t*>(&address), family == AF_INET ? 4U : 16U});
}

void put_address(const IpAddress& address, xfrm_address_t& to) {
    const ByteView octets = address.octets();
    std::memcpy(&to, octets.data(), octets.size());
}

// The structure at the start of an attribute; it need not be aligned there.
template <class Structure>
std::optional<Structure> take(const nlattr* attribute) {
    Structure structure{};
    if (mnl_attr_get_payload_len(attribute) < sizeof structure) {
        return std::nullopt;
    }
    std::memcpy(&structure, mnl_attr_get_payload(attribute), sizeof structure);
    return structure;
}

std::optional<SaReplay> replay_of(const nlattr* attribute) {
    if (mnl_attr_get_type(attribute) == XFRMA_REPLAY_VAL) {
        const auto state = take<xfrm_replay_state>(attribute);
        return state ? std::optional(SaReplay{
                           .oseq = state->oseq, .seq = state->seq, .bitmap = {state->bitmap}})
                     : std::nullopt;
    }
    const auto state = take<ExtendedHead>(attribute);
    if (!state || state->words > kReplayWordsMax ||
        mnl_attr_get_payload_len(attribute) < sizeof *state + 4 * std::size_t{state->words}) {
        return std::nullopt;
    }
    SaReplay replay{.extended = true,
                    .window = state->window,
                    .oseq = joined(state->oseq_high, state->oseq),
                    .seq = joined(state->seq_high, state->seq),
                    .bitmap = std::vector<std::uint32_t>(state->words)};
    if (!replay.bitmap.empty()) {
        std::memcpy(replay.bitmap.data(),
                    static_cast<const char*>(mnl_attr_get_payload(attribute)) + sizeof *state,
                    4 * replay.bitmap.size());
    }
    return replay;
}

struct Found {
    std::optional<SaReplay> replay;
    std::uint32_t mark = 0;
    std::uint32_t output_mark = 0;
    std::uint16_t udp_source = 0;
    bool has_cipher = false;
    bool is_offloaded = false;
};

Found attributes_of(const nlmsghdr* message, std::size_t header_bytes) {
    Found found;
    for_each_attribute(message, header_bytes, [&found](const nlattr* attribute) {
        switch (mnl_attr_get_type(attribute)) {
            case XFRMA_REPLAY_VAL:
            case XFRMA_REPLAY_ESN_VAL:
                found.replay = replay_of(attribute);
                break;
            case XFRMA_ALG_CRYPT:
            case XFRMA_ALG_AEAD:
                found.has_cipher = true;
                break;
            case XFRMA_OFFLOAD_DEV:
                found.is_offloaded = true;
                break;
            case XFRMA_MARK:
                if (const auto mark = take<xfrm_mark>(attribute)) {
                    found.mark = mark->v;
                }
                break;
            case XFRMA_SET_MARK:
                found.output_mark = take<std::uint32_t>(attribute).value_or(0);
                break;
            case XFRMA_ENCAP:
                if (const auto encapsulation = take<xfrm_encap_tmpl>(attribute)) {
                    found.udp_source = ntohs(encapsulation->encap_sport);
                }
                break;
            default:
                break;
        }
    });
    return found;
}

nlmsghdr* put_header(char* buffer, std::uint16_t type, int flags) {
    nlmsghdr* const message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = type;
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    return message;
}

template <class Header>
Header& put_extra(nlmsghdr* message) {
    return *static_cast<Header*>(mnl_nlmsg_put_extra_header(message, sizeof(Header)));
}

void put_id(const SaCounters& sa, xfrm_usersa_id& to) {
    put_address(sa.id.destination, to.daddr);
    to.spi = htonl(sa.id.spi);
    to.family = sa.id.destination.is_v4() ? AF_INET : AF_INET6;
    to.proto = IPPROTO_ESP;
}

// The kernel finds an SA with a mark only by that mark.
void put_mark(nlmsghdr* message, const SaCounters& sa) {
    if (sa.mark != 0) {
        const xfrm_mark mark{.v = sa.mark, .m = kFullWord};
        VPNHA_ASSERT(
            mnl_attr_put_check(message, kXfrmRequestBytesMax, XFRMA_MARK, sizeof mark, &mark));
    }
}

nlmsghdr* put_event(char* buffer, std::uint16_t type, int flags, const SaCounters& sa) {
    nlmsghdr* const message = put_header(buffer, type, flags);
    auto& event = put_extra<xfrm_aevent_id>(message);
    put_id(sa, event.sa_id);
    put_address(sa.id.source, event.saddr);
    return message;
}

}  // namespace

std::optional<SaCounters> parse_sa(const nlmsghdr* message) {
    xfrm_usersa_info info{};
    if (message->nlmsg_type != XFRM_MSG_NEWSA || mnl_nlmsg_get_payload_len(message) < sizeof info) {
        return std::nullopt;
    }
    std::memcpy(&info, mnl_nlmsg_get_payload(message), sizeof info);
    const auto source = address_of(info.saddr, info.family);
    const auto destination = address_of(info.id.daddr, info.family);
    const Found found = attributes_of(message, sizeof info);
    // An entry without a cipher is no SA yet (XFRM_STATE_ACQ): the kernel requests an SA for a
    // packet, under the SPI of the policy, or has reserved an SPI.
    if (info.id.proto != IPPROTO_ESP || !source || !destination || !found.replay ||
        !found.has_cipher) {
        return std::nullopt;
    }
    const SaReplay& replay = *found.replay;
    return SaCounters{.id = {*source, *destination, ntohl(info.id.spi)},
                      .mark = found.mark,
                      .window = replay.extended ? replay.window : info.replay_window,
                      .esn = (info.flags & XFRM_STATE_ESN) != 0,
                      .oseq = replay.oseq,
                      .seq = replay.seq,
                      .bitmap = replay.bitmap,
                      .output_mark = found.output_mark,
                      .udp_source = found.udp_source,
                      .is_offloaded = found.is_offloaded,
                      .octets = info.curlft.bytes,
                      .packets = info.curlft.packets};
}

std::optional<SaReplay> parse_replay(const nlmsghdr* message) {
    return message->nlmsg_type == XFRM_MSG_NEWAE
               ? attributes_of(message, sizeof(xfrm_aevent_id)).replay
               : std::nullopt;
}

SaReplay advanced(SaReplay now, const SaCounters& wanted) {
    // The last number of 32 bits stays as it is: the kernel sends nothing more on that SA.
    const std::uint64_t last =
        wanted.esn ? std::numeric_limits<std::uint64_t>::max() : kLastShortNumber;
    now.oseq = std::max(now.oseq, std::min(wanted.oseq, last));
    if (wanted.seq < now.seq) {
        return now;
    }
    const bool same_window =
        wanted.bitmap.size() == now.bitmap.size() && (!now.extended || wanted.window == now.window);
    if (wanted.seq > now.seq) {
        now.seq = wanted.seq;
        now.bitmap =
            same_window ? wanted.bitmap : std::vector<std::uint32_t>(now.bitmap.size(), kFullWord);
    } else if (same_window) {
        for (std::size_t n = 0; n < now.bitmap.size(); ++n) {
            now.bitmap[n] |= wanted.bitmap[n];
        }
    }
    return now;
}

nlmsghdr* put_sa_listing(char* buffer) {
    nlmsghdr* const message = put_header(buffer, XFRM_MSG_GETSA, NLM_F_DUMP);
    mnl_attr_put_u8(message, XFRMA_PROTO, IPPROTO_ESP);
    return message;
}

nlmsghdr* put_replay_question(char* buffer, const SaCounters& sa) {
    nlmsghdr* const message = put_event(buffer, XFRM_MSG_GETAE, 0, sa);
    put_mark(message, sa);
    return message;
}

nlmsghdr* put_replay(char* buffer, const SaCounters& sa, const SaReplay& replay) {
    nlmsghdr* const message = put_event(buffer, XFRM_MSG_NEWAE, NLM_F_REPLACE, sa);
    put_mark(message, sa);
    if (!replay.extended) {
        const xfrm_replay_state state{.oseq = low_of(replay.oseq),
                                      .seq = low_of(replay.seq),
                                      .bitmap = replay.bitmap.empty() ? 0 : replay.bitmap.front()};
        VPNHA_ASSERT(mnl_attr_put_check(message, kXfrmRequestBytesMax, XFRMA_REPLAY_VAL,
                                        sizeof state, &state));
        return message;
    }
    const ExtendedHead head{.words = static_cast<std::uint32_t>(replay.bitmap.size()),
                            .oseq = low_of(replay.oseq),
                            .seq = low_of(replay.seq),
                            .oseq_high = high_of(replay.oseq),
                            .seq_high = high_of(replay.seq),
                            .window = replay.window};
    std::vector<std::uint32_t> words(sizeof head / 4);
    std::memcpy(words.data(), &head, sizeof head);
    words.insert(words.end(), replay.bitmap.begin(), replay.bitmap.end());
    VPNHA_ASSERT(mnl_attr_put_check(message, kXfrmRequestBytesMax, XFRMA_REPLAY_ESN_VAL,
                                    4 * words.size(), words.data()));
    return message;
}

nlmsghdr* put_sa_removal(char* buffer, const SaCounters& sa) {
    nlmsghdr* const message = put_header(buffer, XFRM_MSG_DELSA, 0);
    put_id(sa, put_extra<xfrm_usersa_id>(message));
    put_mark(message, sa);
    return message;
}

}  // namespace vpnha::adapters
