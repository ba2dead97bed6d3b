// SPDX-License-Identifier: GPL-2.0-or-later
#include "witness/endpoint.hpp"

#include <gmock/gmock.h>

namespace vpnha::witness {
namespace endpoint_test {

using ::testing::HasSubstr;

TEST(EndpointTest, BothFamiliesAreReadAndWritten) {
    for (const char* text : {"192.0.2.1:5421", "0.0.0.0:1", "[2001:db8::7]:65535", "[::]:5421"}) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(to_text(*endpoint), text);
    }
    EXPECT_EQ(to_text(*parse_endpoint("[::ffff:192.0.2.1]:7")), "192.0.2.1:7");
}

TEST(EndpointTest, AnythingElseIsAnErrorThatReportsHowItIsWritten) {
    for (const char* text : {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
                             "192.0.2.1:5421x", "192.0.2:5421", "2001:db8::7:5421", "[::]5421",
                             "[192.0.2.1]:5421", "wit1.example.net:5421", "[::1%lo]:5421"}) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_FALSE(endpoint) << text;
        EXPECT_THAT(endpoint.error().detail, HasSubstr("[2001:db8::1]:5421"));
    }
}

}  // namespace endpoint_test
}  // namespace vpnha::witness
