// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/os/state_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

Result<void> write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return tl::unexpected(system_error("write", errno));
        }
        text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return {};
}

// The reserved size of a file: one block of the usual file systems.
constexpr std::size_t kBlock = 4096;

std::string spare_of(const std::string& name) {
    return name + ".new";
}

// Whole blocks, so that the next text of that length needs no others.
std::string padded(std::string_view text) {
    std::string whole(text);
    whole.resize(std::max<std::size_t>(1, (text.size() + kBlock - 1) / kBlock) * kBlock, ' ');
    return whole;
}

}  // namespace

Result<StateDirectory> StateDirectory::open(const std::string& directory) {
    std::error_code error;
    const std::filesystem::path path(directory);
    std::filesystem::create_directories(path.parent_path(), error);
    if (error || (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)) {
        return tl::unexpected(
            system_error(fmt::format("creating {}, where epochs are kept", directory),
                         error ? error.value() : errno));
    }
    UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    struct stat found {};
    if (!fd || ::fstat(fd.get(), &found) != 0) {
        return tl::unexpected(system_error("opening " + directory, errno));
    }
    if (found.st_uid != ::geteuid() || (found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fail(Errc::permission,
                    fmt::format("{} is not this user's alone, so that somebody could turn the "
                                "epochs back; chown {} {} and chmod 700 {}",
                                directory, ::geteuid(), directory, directory));
    }
    return StateDirectory(directory, std::move(fd));
}

Result<std::optional<std::string>> StateDirectory::read(const std::string& name) const {
    const UniqueFd file(::openat(fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) {
        if (errno == ENOENT) {
            return std::nullopt;
        }
        return tl::unexpected(system_error("opening " + path_of(name), errno));
    }
    std::string text(limits::kStateFileBytesMax + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
        if (got == 0) {
            text.resize(size);
            text.erase(text.find_last_not_of(' ') + 1);
            return text;
        }
        if (got < 0 && errno != EINTR) {
            return tl::unexpected(system_error("reading " + path_of(name), errno));
        }
        size += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    }
    return fail(Errc::malformed, path_of(name) + " is too long to be a file of vpnha");
}

Result<UniqueFd> StateDirectory::open_spare(const std::string& name) const {
    constexpr int kFlags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW;
    UniqueFd file(::openat(fd_.get(), name.c_str(), kFlags));
    struct stat found {};
    if (file && ::fstat(file.get(), &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink == 1) {
        return file;
    }
    // A link in its place is removed and not followed.
    if (::unlinkat(fd_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
        return tl::unexpected(system_error("unlink", errno));
    }
    file.reset(::openat(fd_.get(), name.c_str(), kFlags | O_CREAT | O_EXCL, 0600));
    if (!file) {
        return tl::unexpected(system_error("create", errno));
    }
    return file;
}

Result<void> StateDirectory::reserve(const std::string& name) const {
    const std::string what = "reserving space for " + path_of(name);
    const auto kept = open_spare(spare_of(name));
    if (!kept) {
        return fail(kept.error().code, fmt::format("{}: {}", what, kept.error().detail));
    }
    struct stat found {};
    if (::fstat(kept->get(), &found) != 0) {
        return tl::unexpected(system_error(what, errno));
    }
    const bool is_there = found.st_size >= static_cast<off_t>(kBlock);
    if (!is_there && (!write_all(kept->get(), padded("")) || ::fsync(kept->get()) != 0)) {
        return tl::unexpected(system_error(what, errno));
    }
    return {};
}

Result<void> StateDirectory::write(const std::string& name, std::string_view text) const {
    const std::string fresh = spare_of(name);
    const auto refuse = [&](std::string_view what) {
        return tl::unexpected(
            system_error(fmt::format("writing {}: {}", path_of(name), what), errno));
    };
    const auto file = open_spare(fresh);
    if (!file) {
        return fail(file.error().code,
                    fmt::format("writing {}: {}", path_of(name), file.error().detail));
    }
    const std::string whole = padded(text);
    if (!write_all(file->get(), whole)) {
        return refuse("write");
    }
    if (::ftruncate(file->get(), static_cast<off_t>(whole.size())) != 0) {
        return refuse("truncate");
    }
    if (::fsync(file->get()) != 0) {
        return refuse("fsync");
    }
    struct stat old {};
    const bool exchange =
        ::fstatat(fd_.get(), name.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(old.st_mode) &&
        ::renameat2(fd_.get(), fresh.c_str(), fd_.get(), name.c_str(), RENAME_EXCHANGE) == 0;
    if (!exchange && ::renameat(fd_.get(), fresh.c_str(), fd_.get(), name.c_str()) != 0) {
        return refuse("rename");
    }
    if (::fsync(fd_.get()) != 0) {
        return refuse("fsync of the directory");
    }
    if (!exchange) {
        // The request is done; a disk that is full by now only concerns the next write.
        (void)reserve(name);
    }
    return {};
}

}  // namespace vpnha::adapters
