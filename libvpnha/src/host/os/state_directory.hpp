// SPDX-License-Identifier: GPL-2.0-or-later
// The directory, owned by root, with the files that this node must remember across restarts. A file
// is replaced as a whole: NAME.new is written, synced to the disk, and swaps names with NAME; then
// the directory is synced. So NAME.new, with the old content of NAME, keeps its blocks, and the
// next write needs none: the disk may be full by then. (A file system that writes nothing in place,
// such as btrfs, still needs some.) No link is followed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/os/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class StateDirectory {
  public:
    // Makes it, 0700, when it is missing. Error permission when other users may write to it.
    [[nodiscard]] static Result<StateDirectory> open(const std::string& directory);

    // Without blanks at its end. nullopt: there is no such file. Malformed: it is longer than
    // limits::kStateFileBytesMax.
    [[nodiscard]] Result<std::optional<std::string>> read(const std::string& name) const;
    // On the disk when it returns. Padded with blanks.
    [[nodiscard]] Result<void> write(const std::string& name, std::string_view text) const;
    // Makes NAME.new, with room for a write of one block.
    [[nodiscard]] Result<void> reserve(const std::string& name) const;
    [[nodiscard]] std::string path_of(const std::string& name) const {
        return directory_ + "/" + name;
    }

  private:
    StateDirectory(std::string directory, UniqueFd fd)
        : directory_(std::move(directory)), fd_(std::move(fd)) {}

    // NAME.new, to be written from its beginning.
    [[nodiscard]] Result<UniqueFd> open_spare(const std::string& name) const;

    std::string directory_;
    UniqueFd fd_;
};

}  // namespace vpnha::adapters
