// SPDX-License-Identifier: GPL-2.0-or-later
// HA messages for tests, as charon writes them.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/ipsec/model/ha_message.hpp"

namespace vpnha::test {

class HaBuilder {
  public:
    explicit HaBuilder(ipsec::HaType type) {
        out_.u8(ipsec::kHaVersion).u8(static_cast<std::uint8_t>(type));
    }
    HaBuilder& id(const ipsec::IkeId& id, ipsec::HaTag tag = ipsec::HaTag::ike_id) {
        put(tag).u8(id.key.version).u64(id.key.spi_i).u64(id.key.spi_r).u8(id.initiator ? 1 : 0);
        return *this;
    }
    HaBuilder& u8(ipsec::HaTag tag, std::uint8_t value) {
        put(tag).u8(value);
        return *this;
    }
    HaBuilder& u16(ipsec::HaTag tag, std::uint16_t value) {
        put(tag).u16(value);
        return *this;
    }
    HaBuilder& u32(ipsec::HaTag tag, std::uint32_t value) {
        put(tag).u32(value);
        return *this;
    }
    HaBuilder& spi(ipsec::HaTag tag, std::uint32_t spi) { return u32(tag, __builtin_bswap32(spi)); }
    HaBuilder& chunk(ipsec::HaTag tag, ByteView value) {
        put(tag).prefixed(value);
        return *this;
    }
    HaBuilder& text(ipsec::HaTag tag, std::string_view value) {
        put(tag).bytes(to_bytes(value)).u8(0);
        return *this;
    }
    HaBuilder& host(ipsec::HaTag tag, std::string_view address, std::uint16_t port = 0) {
        const IpAddress parsed = parse_ip(address).value_or(IpAddress{});
        put(tag).u16(port).u8(parsed.is_v4() ? 2 : 10).bytes(parsed.octets());
        return *this;
    }
    // RFC 7296 3.5: 2 is a name.
    HaBuilder& identity(ipsec::HaTag tag, std::string_view text, std::uint8_t type = 2) {
        put(tag).u8(type).u8(static_cast<std::uint8_t>(text.size())).bytes(to_bytes(text));
        return *this;
    }
    // All protocols and ports, or UDP's between these.
    HaBuilder& selector(ipsec::HaTag tag, std::string_view address, std::uint8_t protocol = 0,
                        std::uint16_t from = 0, std::uint16_t to = 0xffff) {
        const IpAddress parsed = parse_ip(address).value_or(IpAddress{});
        put(tag).u8(parsed.is_v4() ? 7 : 8).u8(protocol).u16(from).u16(to).u8(0);
        out_.bytes(parsed.octets()).bytes(parsed.octets());
        return *this;
    }
    [[nodiscard]] Bytes bytes() const { return {out_.view().begin(), out_.view().end()}; }

  private:
    ByteWriter& put(ipsec::HaTag tag) { return out_.u8(static_cast<std::uint8_t>(tag)); }

    ByteWriter out_;
};

// An IKE SA of a client: what its charon says of it.
struct IkeSample {
    ipsec::IkeId id;
    std::string client = "carol@example.org";
    std::string address = "198.51.100.7";
    std::string connection = "road";
    std::string eap = {};    // Empty: no identity of EAP or XAuth beside `client`.
    std::string other = {};  // Empty: no further address of MOBIKE.
    std::string inner = {};  // Empty: its virtual address is said by itself, or it has none.
    std::uint32_t conditions = 0x12;
    std::uint32_t extensions = 0x3;

    [[nodiscard]] Bytes add(const std::vector<ipsec::IkeKey>& replaces = {}) const {
        using ipsec::HaTag;
        HaBuilder built(ipsec::HaType::ike_add);
        built.u8(HaTag::ike_version, id.key.version).id(id);
        for (const ipsec::IkeKey& old : replaces) {
            built.id({old, false}, HaTag::ike_rekey_id)
                .u16(HaTag::alg_old_prf, 5)
                .chunk(HaTag::old_skd, Bytes{5, 6});
        }
        return built.u16(HaTag::alg_encr, 12)
            .u16(HaTag::alg_encr_len, 256)
            .chunk(HaTag::nonce_i, Bytes{1, 2})
            .chunk(HaTag::nonce_r, Bytes{3, 4})
            .chunk(HaTag::secret, Bytes{9, 9, 9})
            .host(HaTag::remote_address, address, 4500)
            .bytes();
    }
    [[nodiscard]] Bytes update() const {
        using ipsec::HaTag;
        HaBuilder built(ipsec::HaType::ike_update);
        built.id(id)
            .identity(HaTag::local_id, "vpn.example.org")
            .identity(HaTag::remote_id, client, 3);
        if (!eap.empty()) {
            built.identity(HaTag::remote_eap_id, eap);
        }
        built.host(HaTag::local_address, "192.0.2.100", 4500)
            .host(HaTag::remote_address, address, 4500)
            .u32(HaTag::conditions, conditions)
            .u32(HaTag::extensions, extensions)
            .text(HaTag::config_name, connection);
        if (!other.empty()) {
            built.host(HaTag::peer_address, other);
        }
        if (!inner.empty()) {
            built.host(HaTag::remote_vip, inner);
        }
        return built.bytes();
    }
    [[nodiscard]] Bytes vip(std::string_view vip) const { return vips({vip}); }
    [[nodiscard]] Bytes vips(std::initializer_list<std::string_view> all) const {
        HaBuilder built(ipsec::HaType::ike_update);
        built.id(id);
        for (const std::string_view vip : all) {
            built.host(ipsec::HaTag::remote_vip, vip);
        }
        return built.bytes();
    }
    [[nodiscard]] Bytes child(std::uint32_t spi, std::uint32_t spi_out,
                              std::string_view remote = "10.1.0.7") const {
        return begin_child(spi, spi_out)
            .selector(ipsec::HaTag::local_ts, "10.0.0.0")
            .selector(ipsec::HaTag::remote_ts, remote)
            .bytes();
    }
    // Of L2TP; 0: the client reserves itself any port. `own`: the gateway's.
    [[nodiscard]] Bytes l2tp(std::uint32_t spi, std::uint32_t spi_out, std::uint16_t port = 1701,
                             std::uint16_t own = 1701) const {
        return begin_child(spi, spi_out)
            .selector(ipsec::HaTag::local_ts, "192.0.2.100", 17, own, own)
            .selector(ipsec::HaTag::remote_ts, address, 17, port, port == 0 ? 0xffff : port)
            .bytes();
    }

  private:
    [[nodiscard]] HaBuilder begin_child(std::uint32_t spi, std::uint32_t spi_out) const {
        using ipsec::HaTag;
        HaBuilder built(ipsec::HaType::child_add);
        built.id(id)
            .u8(HaTag::initiator, 0)
            .spi(HaTag::inbound_spi, spi)
            .spi(HaTag::outbound_spi, spi_out)
            .u16(HaTag::inbound_cpi, 0)
            .u16(HaTag::outbound_cpi, 0)
            .u8(HaTag::ipsec_mode, 2)
            .u8(HaTag::ipcomp, 0)
            .text(HaTag::config_name, "net")
            .u16(HaTag::esn, 0)
            .chunk(HaTag::nonce_i, Bytes{7})
            .chunk(HaTag::nonce_r, Bytes{8});
        return built;
    }
};

inline ipsec::IkeId ike_id(std::uint8_t version, std::uint64_t number) {
    return {{version, 0xa000 + number, 0xb000 + number}, false};
}

}  // namespace vpnha::test
