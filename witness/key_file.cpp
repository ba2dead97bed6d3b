// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/key_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "host/os/unique_fd.hpp"
#include "host/secrets/secret_bytes.hpp"

namespace vpnha::witness {

namespace {

std::string_view text_of(const adapters::SecretBytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.view().data()), bytes.view().size()};
}

// To the end, or one octet more than a line can have.
Result<adapters::SecretBytes> read_line(int fd, const std::string& what) {
    VPNHA_TRY(auto bytes, adapters::SecretBytes::with_room(lease::kWitnessKeyLineMax + 1));
    while (!bytes.room().empty()) {
        const ssize_t got = ::read(fd, bytes.room().data(), bytes.room().size());
        if (got < 0 && errno != EINTR) {
            return tl::unexpected(system_error("reading " + what, errno));
        }
        if (got == 0) {
            return bytes;
        }
        bytes.take(static_cast<std::size_t>(got < 0 ? 0 : got));
    }
    return fail(Errc::malformed, what + " is longer than a line of `vpnha witness-key`");
}

// nullopt: there is none.
Result<std::optional<adapters::UniqueFd>> open_key_file(const std::string& path) {
    adapters::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file && errno == ENOENT) {
        return std::nullopt;
    }
    struct stat found {};
    if (!file || ::fstat(file.get(), &found) != 0) {
        return tl::unexpected(system_error("opening " + path, errno));
    }
    if (!S_ISREG(found.st_mode)) {
        return fail(Errc::invalid_argument, path + " is no file");
    }
    return std::optional(std::move(file));
}

Result<lease::WitnessKey> read_key(const adapters::UniqueFd& file, const std::string& path) {
    VPNHA_TRY(const auto bytes, read_line(file.get(), path));
    auto key = lease::parse_witness_key(text_of(bytes));
    if (!key) {
        return fail(key.error().code, fmt::format("{}: {}", path, key.error().detail));
    }
    return key;
}

Result<void> check_mode(const adapters::UniqueFd& file, const std::string& path) {
    struct stat found {};
    if (::fstat(file.get(), &found) != 0) {
        return tl::unexpected(system_error("opening " + path, errno));
    }
    if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Errc::permission,
                    fmt::format("{} has the mode {:04o}, so that others may have read the key; "
                                "chmod 600 {}, or give this witness a new name and a new key",
                                path, found.st_mode & 07777U, path));
    }
    return {};
}

bool is_below(const std::string& path, const std::string& directory) {
    return !directory.empty() && path.starts_with(directory + "/");
}

// The whole file or none, on the disk when it returns.
Result<void> write_key_file(const std::string& path, const lease::WitnessKey& key) {
    const std::string fresh = path + ".new";
    const auto refuse = [&fresh] {
        const int error = errno;
        ::unlink(fresh.c_str());
        return tl::unexpected(system_error("writing " + fresh, error));
    };
    ::unlink(fresh.c_str());
    const adapters::UniqueFd file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
        return tl::unexpected(system_error("creating " + fresh, errno));
    }
    const lease::WitnessKeyLine line(key);
    const std::string_view text = line.view();
    errno = ENOSPC;  // After an incomplete write.
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.get()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) {
        return refuse();
    }
    const std::string directory = std::filesystem::path(path).parent_path();
    const adapters::UniqueFd parent(
        ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.get()) != 0) {
        return tl::unexpected(system_error("writing " + path, errno));
    }
    return {};
}

}  // namespace

Result<lease::WitnessKey> read_key_file(const std::string& path, const std::string& credentials) {
    VPNHA_TRY(const auto file, open_key_file(path));
    if (!file) {
        return fail(Errc::not_found,
                    fmt::format("there is no key file {}; on a node of the cluster, as root: "
                                "vpnha witness-key | ssh root@WITNESS vpnha-witness enrol "
                                "--key-file FILE",
                                path));
    }
    if (!is_below(path, credentials)) {
        VPNHA_CHECK(check_mode(*file, path));
    }
    return read_key(*file, path);
}

Result<std::string> enrol(int fd, const std::string& path) {
    VPNHA_TRY(const auto bytes, read_line(fd, "stdin"));
    VPNHA_TRY(const auto key, lease::parse_witness_key(text_of(bytes)));
    VPNHA_TRY(const auto there, open_key_file(path));
    if (!there) {
        VPNHA_CHECK(write_key_file(path, key));
        return fmt::format("{} has the key of witness '{}' of cluster '{}'", path, key.name,
                           key.cluster);
    }
    VPNHA_CHECK(check_mode(*there, path));
    VPNHA_TRY(const auto old, read_key(*there, path));
    if (!lease::is_same_key(key, old) || key.name != old.name || key.cluster != old.cluster) {
        return fail(Errc::already_exists,
                    fmt::format("{} has the key of witness '{}' of cluster '{}', and this one is "
                                "another key, of witness '{}' of cluster '{}'; give it a file of "
                                "its own, or remove the old file first if the cluster's key or the "
                                "witness's name has changed",
                                path, old.name, old.cluster, key.name, key.cluster));
    }
    return fmt::format("{} had this key already", path);
}

}  // namespace vpnha::witness
