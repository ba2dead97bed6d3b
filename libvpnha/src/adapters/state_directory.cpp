// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/state_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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
                                "epochs back; chown root {} and chmod 700 {}",
                                directory, directory, directory));
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
            return text;
        }
        if (got < 0 && errno != EINTR) {
            return tl::unexpected(system_error("reading " + path_of(name), errno));
        }
        size += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    }
    return fail(Errc::malformed, path_of(name) + " is too long to be a file of vpnhad's");
}

Result<void> StateDirectory::write(const std::string& name, std::string_view text) const {
    const std::string fresh = name + ".new";
    const auto refuse = [&](std::string_view what) {
        return tl::unexpected(
            system_error(fmt::format("writing {}: {}", path_of(name), what), errno));
    };
    // What a crash left; a link in its place is removed and not followed.
    if (::unlinkat(fd_.get(), fresh.c_str(), 0) != 0 && errno != ENOENT) {
        return refuse("unlink");
    }
    const UniqueFd file(::openat(fd_.get(), fresh.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
        return refuse("create");
    }
    if (!write_all(file.get(), text)) {
        return refuse("write");
    }
    if (::fsync(file.get()) != 0) {
        return refuse("fsync");
    }
    if (::renameat(fd_.get(), fresh.c_str(), fd_.get(), name.c_str()) != 0) {
        return refuse("rename");
    }
    if (::fsync(fd_.get()) != 0) {
        return refuse("fsync of the directory");
    }
    return {};
}

}  // namespace vpnha::adapters
