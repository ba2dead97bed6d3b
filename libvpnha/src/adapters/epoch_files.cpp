// SPDX-License-Identifier: GPL-2.0-or-later
#include "adapters/epoch_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/limits.hpp"

namespace vpnha::adapters {

namespace {

constexpr std::string_view kFirstLine = "vpnha-epoch 1\n";
// Two numbers, a dot and a line's end behind the first line, with room to see that there is more.
constexpr std::size_t kFileBytesMax = 64;

std::string file_of(GatewayId gateway) {
    return fmt::format("gateway-{}.epoch", gateway.value);
}

template <class Number>
bool take_number(std::string_view& text, Number& number) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    return error == std::errc{};
}

std::optional<Epoch> parse(std::string_view text) {
    if (!text.starts_with(kFirstLine)) {
        return std::nullopt;
    }
    text.remove_prefix(kFirstLine.size());
    Epoch epoch;
    if (!take_number(text, epoch.number) || !text.starts_with('.')) {
        return std::nullopt;
    }
    text.remove_prefix(1);
    if (!take_number(text, epoch.node.value) || text != "\n" ||
        epoch.number > limits::kCounterMax) {
        return std::nullopt;
    }
    return epoch;
}

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

Result<EpochFiles> EpochFiles::open(const std::string& directory) {
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
    return EpochFiles(directory, std::move(fd));
}

Result<Epoch> EpochFiles::load(GatewayId gateway) const {
    const std::string name = file_of(gateway);
    const UniqueFd file(::openat(fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) {
        if (errno == ENOENT) {
            return Epoch{};
        }
        return tl::unexpected(system_error(
            fmt::format("opening {}/{}, which keeps the gateway's epoch", directory_, name),
            errno));
    }
    std::array<char, kFileBytesMax> text{};
    const ssize_t got = ::read(file.get(), text.data(), text.size());
    if (got < 0) {
        return tl::unexpected(system_error(fmt::format("reading {}/{}", directory_, name), errno));
    }
    const auto epoch = parse({text.data(), static_cast<std::size_t>(got)});
    if (!epoch) {
        return fail(Errc::malformed,
                    fmt::format("{}/{} is damaged. If another node runs vpnhad, remove the file: "
                                "this node then learns the epoch from it. Else write into it "
                                "'vpnha-epoch 1' and, on a line of its own, the epoch that the "
                                "log of the last promotion shows",
                                directory_, name));
    }
    return *epoch;
}

Result<void> EpochFiles::save(GatewayId gateway, const Epoch& epoch) {
    const std::string name = file_of(gateway);
    const std::string fresh = name + ".new";
    const auto refuse = [&](std::string_view what) {
        return tl::unexpected(system_error(
            fmt::format("keeping epoch {} in {}/{}: {}", to_string(epoch), directory_, name, what),
            errno));
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
    if (!write_all(file.get(), fmt::format("{}{}\n", kFirstLine, to_string(epoch)))) {
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
