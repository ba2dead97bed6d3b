// SPDX-License-Identifier: GPL-2.0-or-later
// The directory, root's own, with the files in which this node remembers what must outlive it. A
// file is replaced as a whole: written beside, on the disk, renamed, the directory on the disk. No
// link is followed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/unique_fd.hpp"
#include "vpnha/result.hpp"

namespace vpnha::adapters {

class StateDirectory {
  public:
    // Makes it, 0700, when it is not there. Error permission when somebody else may write to it.
    [[nodiscard]] static Result<StateDirectory> open(const std::string& directory);

    // nullopt: there is no such file. Malformed: it is longer than limits::kStateFileBytesMax.
    [[nodiscard]] Result<std::optional<std::string>> read(const std::string& name) const;
    // On the disk when it returns.
    [[nodiscard]] Result<void> write(const std::string& name, std::string_view text) const;
    [[nodiscard]] std::string path_of(const std::string& name) const {
        return directory_ + "/" + name;
    }

  private:
    StateDirectory(std::string directory, UniqueFd fd)
        : directory_(std::move(directory)), fd_(std::move(fd)) {}

    std::string directory_;
    UniqueFd fd_;
};

}  // namespace vpnha::adapters
