// SPDX-License-Identifier: GPL-2.0-or-later
#include "services/addresses/model/pool.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace vpnha::keepers {

namespace {

constexpr std::uint8_t kPointToPointLength = 31;  // RFC 3021: such a net has no broadcast address.

// FNV-1a. A name that falls on another one's place makes the search longer by one.
std::uint64_t place_of(std::string_view user) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : user) {
        hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
    }
    return hash ^ hash >> 32;
}

}  // namespace

Pool::Pool(const std::vector<IpPrefix>& nets) {
    for (const IpPrefix& net : nets) {
        const auto first = net.address.masked(net.length).v4();
        if (!first) {
            continue;
        }
        Range range{first->value, std::uint64_t{1} << (32 - net.length)};
        if (net.length < kPointToPointLength) {
            ++range.first;
            range.count -= 2;
        }
        size_ += range.count;
        ranges_.push_back(range);
    }
}

bool Pool::contains(Ipv4Address address) const {
    return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
        return address.value >= range.first && address.value - range.first < range.count;
    });
}

Ipv4Address Pool::at(std::uint64_t index) const {
    for (const Range& range : ranges_) {
        if (index < range.count) {
            return Ipv4Address{range.first + static_cast<std::uint32_t>(index)};
        }
        index -= range.count;
    }
    VPNHA_ASSERT(false);
    return {};
}

std::optional<Ipv4Address> Pool::choose(std::string_view user,
                                        const std::function<bool(Ipv4Address)>& is_taken) const {
    const std::uint64_t wanted = place_of(user);
    for (std::uint64_t i = 0; i < size_; ++i) {
        const Ipv4Address address = at((wanted + i) % size_);
        if (!is_taken(address)) {
            return address;
        }
    }
    return std::nullopt;
}

}  // namespace vpnha::keepers
