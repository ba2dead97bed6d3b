// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace vpnha::witness {

namespace {

constexpr const char* kForm =
    "it is a numeric address and a port, as 192.0.2.1:5421 or [2001:db8::1]:5421";

tl::unexpected<Error> refused() {
    return fail(Errc::invalid_argument, kForm);
}

}  // namespace

Result<Endpoint> parse_endpoint(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) {
        return refused();
    }
    std::string host = text.substr(0, colon);
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc{} || stop != end || port == 0) {
        return refused();
    }
    Endpoint endpoint;
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        auto* const address = reinterpret_cast<sockaddr_in6*>(&endpoint.storage);
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(port);
        endpoint.size = sizeof *address;
        host = host.substr(1, host.size() - 2);
        return ::inet_pton(AF_INET6, host.c_str(), &address->sin6_addr) == 1
                   ? Result<Endpoint>(endpoint)
                   : refused();
    }
    auto* const address = reinterpret_cast<sockaddr_in*>(&endpoint.storage);
    address->sin_family = AF_INET;
    address->sin_port = htons(port);
    endpoint.size = sizeof *address;
    return ::inet_pton(AF_INET, host.c_str(), &address->sin_addr) == 1 ? Result<Endpoint>(endpoint)
                                                                       : refused();
}

std::string to_text(const Endpoint& endpoint) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (endpoint.family() == AF_INET) {
        const auto* const address = reinterpret_cast<const sockaddr_in*>(&endpoint.storage);
        ::inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
        return fmt::format("{}:{}", text.data(), ntohs(address->sin_port));
    }
    const auto* const address = reinterpret_cast<const sockaddr_in6*>(&endpoint.storage);
    if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
        ::inet_ntop(AF_INET, address->sin6_addr.s6_addr + 12, text.data(), text.size());
        return fmt::format("{}:{}", text.data(), ntohs(address->sin6_port));
    }
    ::inet_ntop(AF_INET6, &address->sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), ntohs(address->sin6_port));
}

}  // namespace vpnha::witness
