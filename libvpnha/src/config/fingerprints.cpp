// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/fingerprints.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "config/schema.hpp"

namespace vpnha::config {

namespace {

// Not used for anything else with the cluster's key.
constexpr std::string_view kPurpose = "vpnha fingerprints 1";
// No word of a text contains it, so that two words never look like one.
constexpr std::string_view kBetweenWords("\0", 1);
constexpr std::string_view kBetweenLines = "\n";
constexpr std::string_view kBlanks = " \t\r";

const std::uint8_t* octets_of(std::string_view text) {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

// A hash that gets its input in pieces, so that no copy of a secret is made; wiped at its end.
class Hash {
  public:
    using Octets = std::array<std::uint8_t, 16>;

    explicit Hash(const FingerprintKey& key) {
        crypto_generichash_init(&state_, key.octets().data(), key.octets().size(),
                                std::tuple_size_v<Octets>);
    }
    ~Hash() { sodium_memzero(&state_, sizeof state_); }
    Hash(const Hash&) = delete;
    Hash& operator=(const Hash&) = delete;

    void add(std::string_view text) {
        crypto_generichash_update(&state_, octets_of(text), text.size());
    }
    void add(const Octets& octets) {
        crypto_generichash_update(&state_, octets.data(), octets.size());
    }
    [[nodiscard]] Octets end() {
        Octets octets{};
        crypto_generichash_final(&state_, octets.data(), octets.size());
        return octets;
    }

  private:
    crypto_generichash_state state_{};
};

std::uint64_t shortened(const Hash::Octets& octets) {
    ByteReader reader{ByteView(octets)};
    return reader.u64();
}

// The next word of a line as pppd reads it: quoted blanks belong to it, comments do not count.
std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.empty() || line.front() == '#') {
        return {};
    }
    char quote = '\0';
    std::size_t end = 0;
    for (; end < line.size(); ++end) {
        const char c = line[end];
        if (c == '\\' && end + 1 < line.size()) {
            ++end;
        } else if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (kBlanks.find(c) != std::string_view::npos) {
            break;
        }
    }
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(end);
    return word;
}

// Of the words of one line; none for a line without words.
std::optional<Hash::Octets> hash_of_line(const FingerprintKey& key, std::string_view line) {
    std::string_view word = take_word(line);
    if (word.empty()) {
        return std::nullopt;
    }
    Hash hash(key);
    for (; !word.empty(); word = take_word(line)) {
        hash.add(word);
        hash.add(kBetweenWords);
    }
    return hash.end();
}

class Setups {
  public:
    Setups(const Config& config, const Schema& schema, const FingerprintKey& key,
           const FileFingerprint& of_file)
        : config_(config), schema_(schema), key_(key), of_file_(of_file) {}

    [[nodiscard]] wire::Setup of_node() const {
        wire::Setup setup;
        add_keys(false, Gateway{}, setup);
        return setup;
    }

    [[nodiscard]] wire::Setup of_gateway(const Gateway& gateway) const {
        wire::Setup setup{gateway.id, {}};
        setup.items.push_back(
            {"name", wire::Weight::note, fingerprint_of_text(key_, gateway.name)});
        add_keys(true, gateway, setup);
        if (of_file_) {
            for (const Facts& protocol : gateway.protocols.facts()) {
                for (const ComparedFile& file : protocol.files) {
                    add_file(file, setup);
                }
            }
        }
        VPNHA_ASSERT(setup.items.size() <= limits::kFingerprintsMax);
        return setup;
    }

  private:
    // A file that two protocols share is one item.
    void add_file(const ComparedFile& file, wire::Setup& setup) const {
        std::string name = fmt::format("{} {}", file.what, file.path);
        if (std::ranges::find(setup.items, name, &wire::Fingerprint::name) == setup.items.end()) {
            setup.items.push_back(
                {std::move(name), wire::Weight::session, of_file_(file.path, file.order)});
        }
    }

    void add_keys(bool per_gateway, const Gateway& gateway, wire::Setup& setup) const {
        for (const Key& key : schema_.keys()) {
            if (key.section.is_per_gateway == per_gateway && has_section(gateway, key.section)) {
                setup.items.push_back(
                    {key.section == Section::gateway
                         ? std::string(key.name)
                         : fmt::format("{}.{}", key.section.name, key.name),
                     key.weight, fingerprint_of_text(key_, key.place.show(config_, gateway))});
            }
        }
    }

    const Config& config_;
    const Schema& schema_;
    const FingerprintKey& key_;
    const FileFingerprint& of_file_;
};

}  // namespace

FingerprintKey::FingerprintKey(std::string_view cluster_key) {
    static_assert(kPurpose.size() >= crypto_generichash_KEYBYTES_MIN &&
                  kPurpose.size() <= crypto_generichash_KEYBYTES_MAX);
    crypto_generichash(octets_.data(), octets_.size(), octets_of(cluster_key), cluster_key.size(),
                       octets_of(kPurpose), kPurpose.size());
}

std::uint64_t fingerprint_of_text(const FingerprintKey& key, std::string_view text) {
    Hash hash(key);
    hash.add(text);
    return shortened(hash.end());
}

std::uint64_t fingerprint_of_file(const FingerprintKey& key, std::string_view content,
                                  LineOrder order) {
    std::vector<Hash::Octets> lines;
    while (!content.empty()) {
        const std::string_view line = content.substr(0, content.find(kBetweenLines));
        content.remove_prefix(std::min(line.size() + 1, content.size()));
        if (const auto hash = hash_of_line(key, line)) {
            lines.push_back(*hash);
        }
    }
    if (order == LineOrder::free) {
        std::sort(lines.begin(), lines.end());
    }
    Hash hash(key);
    for (const Hash::Octets& line : lines) {
        hash.add(line);
    }
    return shortened(hash.end());
}

std::vector<wire::Setup> setups_of(const Config& config, const Schema& schema,
                                   const FingerprintKey& key, const FileFingerprint& of_file) {
    const Setups setups(config, schema, key, of_file);
    std::vector<wire::Setup> all{setups.of_node()};
    for (const Gateway& gateway : config.gateways) {
        all.push_back(setups.of_gateway(gateway));
    }
    return all;
}

}  // namespace vpnha::config
