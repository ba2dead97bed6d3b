// SPDX-License-Identifier: GPL-2.0-or-later
// Paths for files of one test: CTest runs tests of one program side by side.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace vpnha {

// A directory of this process. The process that made it removes it, with all that is in it, when it
// exits; a child of it does not.
class TemporaryDirectory {
  public:
    TemporaryDirectory()
        : pid_(::getpid()), path_(::testing::TempDir() + "vpnha-" + std::to_string(pid_)) {
        std::filesystem::remove_all(path_);  // Of an earlier process, which crashed.
        std::filesystem::create_directory(path_);
        // Tests connect to sockets in it as another user.
        std::filesystem::permissions(path_, std::filesystem::perms(0755));
    }
    ~TemporaryDirectory() {
        if (::getpid() == pid_) {
            std::error_code ignored;
            std::filesystem::remove_all(path_, ignored);
        }
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    pid_t pid_;
    std::string path_;
};

// Unique to this process; nothing is created at the path.
inline std::string temporary_path(const std::string& name) {
    static const TemporaryDirectory directory;
    return directory.path() + "/" + name;
}

}  // namespace vpnha
