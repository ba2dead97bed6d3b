// SPDX-License-Identifier: GPL-2.0-or-later
#include "protocols/wireguard/backend/wireguard_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/secrets/secret_file.hpp"

namespace vpnha::adapters {

namespace {

using wireguard::Peer;
using wireguard::PeersFile;
using wireguard::SecretKey;

Result<SecretFile> read_file(const std::string& path, std::string_view remedy) {
    VPNHA_TRY(auto file, SecretFile::read(path));
    if (!file) {
        return fail(Errc::not_found, fmt::format("there is no {}; {}", path, remedy));
    }
    return std::move(*file);
}

// Other settings that `wg setconf` would take from the file must equal those of the device.
Result<void> check_interface(const WireguardFiles& files, const PeersFile& file,
                             std::uint16_t listen_port) {
    if (file.listen_port && *file.listen_port != listen_port) {
        return fail(Errc::invalid_config,
                    fmt::format("{}: ListenPort is {}, and vpnha.toml has listen_port {}; leave it "
                                "out here",
                                files.peers, *file.listen_port, listen_port));
    }
    if (file.private_key) {
        VPNHA_TRY(const SecretKey own, read_private_key(files.private_key));
        if (!std::ranges::equal(own, *file.private_key)) {
            return fail(Errc::invalid_config,
                        fmt::format("{}: PrivateKey is another one than in {}; leave it out here",
                                    files.peers, files.private_key));
        }
    }
    return {};
}

}  // namespace

Result<SecretKey> read_private_key(const std::string& path) {
    VPNHA_TRY(const SecretFile file, read_file(path,
                                               "make one with 'wg genkey', the same on all "
                                               "nodes"));
    return wireguard::parse_private_key(file.content(), path);
}

Result<std::vector<Peer>> read_peers(const WireguardFiles& files, std::uint16_t listen_port,
                                     const SecretBox& box) {
    VPNHA_TRY(const SecretFile content,
              read_file(files.peers, "write one, with a [Peer] for each client"));
    VPNHA_TRY(PeersFile file, wireguard::parse_peers_file(content.content(), files.peers));
    VPNHA_CHECK(check_interface(files, file, listen_port));
    if (file.peers.empty()) {
        // A file that was emptied by mistake must not end all sessions.
        return fail(Errc::invalid_config,
                    fmt::format("{} has no [Peer]; add one, or take the table of WireGuard out of "
                                "vpnha.toml",
                                files.peers));
    }
    std::vector<Peer> peers;
    peers.reserve(file.peers.size());
    for (auto& [peer, preshared] : file.peers) {
        if (preshared) {
            VPNHA_TRY(peer.sealed_preshared,
                      box.seal(wireguard::seal_context(peer.key),
                               ByteView(preshared->data(), preshared->size())));
        }
        peers.push_back(std::move(peer));
    }
    return peers;
}

Result<void> open_preshared(const SecretBox& box, const Peer& peer, SecretBytes& plain) {
    const std::size_t before = plain.view().size();
    VPNHA_CHECK(box.open(wireguard::seal_context(peer.key), peer.sealed_preshared, plain));
    return plain.view().size() - before == wireguard::kKeyBytes
               ? Result<void>()
               : fail(Errc::malformed, "a preshared key of another length than 32 octets");
}

}  // namespace vpnha::adapters
