// SPDX-License-Identifier: GPL-2.0-or-later
// What a power cut may leave of a file that is replaced: in which order the kernel is told to bring
// it to the disk. This program's own fsync() and rename() stand before the C library's, and write
// down what is called.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "host/os/state_directory.hpp"
#include "support/temporary_path.hpp"

namespace {

std::vector<std::string> g_calls;

bool is_directory(int fd) {
    struct stat found {};
    return ::fstat(fd, &found) == 0 && S_ISDIR(found.st_mode);
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, std::size_t size) {
    g_calls.emplace_back("write");
    return ::syscall(SYS_write, fd, bytes, size);
}
int fsync(int fd) {
    g_calls.emplace_back(is_directory(fd) ? "fsync of the directory" : "fsync of the file");
    return static_cast<int>(::syscall(SYS_fsync, fd));
}
int renameat(int from_fd, const char* from, int to_fd, const char* to) noexcept {
    g_calls.emplace_back("rename");
    return static_cast<int>(::syscall(SYS_renameat2, from_fd, from, to_fd, to, 0));
}
int renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) noexcept {
    g_calls.emplace_back("rename");
    return static_cast<int>(::syscall(SYS_renameat2, from_fd, from, to_fd, to, flags));
}
}

namespace vpnha::adapters {
namespace state_directory_order_test {

TEST(StateDirectoryOrderTest, TheFileIsOnTheDiskBeforeItHasItsNameAndTheNameBeforeItReturns) {
    const std::string path = temporary_path("state-order");
    auto state = StateDirectory::open(path);
    ASSERT_TRUE(state) << state.error().detail;
    for (const char* text : {"one", "two"}) {
        g_calls.clear();
        ASSERT_TRUE(state->write("epochs", text));
        const auto begin = g_calls.begin();
        const auto renamed = std::find(begin, g_calls.end(), "rename");
        ASSERT_NE(renamed, g_calls.end());
        ASSERT_NE(std::find(begin, renamed, "write"), renamed);
        EXPECT_EQ(*(renamed - 1), "fsync of the file") << "with all of it in it";
        ASSERT_NE(renamed + 1, g_calls.end());
        EXPECT_EQ(*(renamed + 1), "fsync of the directory");
    }
    std::filesystem::remove_all(path);
}

}  // namespace state_directory_order_test
}  // namespace vpnha::adapters
