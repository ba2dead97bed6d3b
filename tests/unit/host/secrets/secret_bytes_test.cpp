// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/secrets/secret_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <type_traits>

namespace vpnha::adapters {
namespace secret_bytes_test {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);

// What the kernel says of the mapping that has this address.
std::string mapping_of(const void* address) {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    std::ifstream maps("/proc/self/smaps");
    std::string text;
    bool is_it = false;
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t from = 0;
        std::uintptr_t to = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) {
            is_it = from <= wanted && wanted < to;
        }
        text += is_it ? line + "\n" : "";
    }
    return text;
}

TEST(SecretBytesTest, HoldWhatIsAppendedAndNoMoreThanTheirRoom) {
    auto bytes = SecretBytes::with_room(5);
    ASSERT_TRUE(bytes) << bytes.error().detail;
    EXPECT_TRUE(bytes->view().empty());
    EXPECT_TRUE(bytes->append(to_bytes("abc")));
    EXPECT_FALSE(bytes->append(to_bytes("def")));
    EXPECT_THAT(bytes->view(), ElementsAre('a', 'b', 'c'));
    ASSERT_EQ(bytes->room().size(), 2U);
    bytes->room()[0] = 'd';
    bytes->take(1);
    EXPECT_THAT(bytes->view(), ElementsAre('a', 'b', 'c', 'd'));
    EXPECT_EQ(bytes->room().size(), 1U);
}

TEST(SecretBytesTest, AreEmptyAndZeroWhenCleared) {
    auto bytes = SecretBytes::with_room(100);
    ASSERT_TRUE(bytes);
    ASSERT_TRUE(bytes->append(to_bytes("a secret")));
    bytes->clear();
    EXPECT_TRUE(bytes->view().empty());
    ASSERT_EQ(bytes->room().size(), 100U);
    EXPECT_THAT(bytes->room().first(8), Each(0));
}

TEST(SecretBytesTest, MayHaveNoRoomAtAll) {
    auto bytes = SecretBytes::with_room(0);
    ASSERT_TRUE(bytes);
    EXPECT_TRUE(bytes->append({}));
    EXPECT_FALSE(bytes->append(to_bytes("a")));
    bytes->clear();
    EXPECT_TRUE(bytes->view().empty());
}

TEST(SecretBytesTest, AreLockedAndNotDumped) {
    auto bytes = SecretBytes::with_room(64);
    ASSERT_TRUE(bytes);
    ASSERT_TRUE(bytes->append(to_bytes("a secret")));
    EXPECT_THAT(mapping_of(bytes->view().data()), HasSubstr("VmFlags:"));
#ifndef __SANITIZE_ADDRESS__  // It makes mlock() do nothing.
    EXPECT_THAT(mapping_of(bytes->view().data()), HasSubstr(" lo "));
#endif
    EXPECT_THAT(mapping_of(bytes->view().data()), HasSubstr(" dd "));
}

TEST(SecretBytesTest, LeaveNoMemoryBehind) {
    const std::uint8_t* address = nullptr;
    {
        auto bytes = SecretBytes::with_room(64);
        ASSERT_TRUE(bytes);
        address = bytes->view().data();
        EXPECT_NE(mapping_of(address), "");
    }
    EXPECT_EQ(mapping_of(address), "");
}

TEST(SecretBytesTest, MoreRoomThanThereIsIsAnError) {
    const auto bytes = SecretBytes::with_room(std::size_t{1} << 60);
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().code, Errc::system);
}

}  // namespace secret_bytes_test
}  // namespace vpnha::adapters
