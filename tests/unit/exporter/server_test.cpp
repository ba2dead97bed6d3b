// SPDX-License-Identifier: GPL-2.0-or-later
#include "exporter/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/documented.hpp"
#include "unit/exporter/loopback.hpp"

namespace vpnha::exporter {
namespace server_test {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct ServerTest : ::testing::Test {
    // What the server sends for a request, while it runs beside.
    std::string answer_to(const std::string& request) {
        const adapters::UniqueFd client = client_of(socket);
        send_to(client, request);
        std::atomic<bool> is_answered = false;
        std::thread beside([&] {
            while (!is_answered) {
                EXPECT_TRUE(server->run(std::chrono::milliseconds(20)));
            }
        });
        std::string text = rest_of(client);
        is_answered = true;
        beside.join();
        return text;
    }

    adapters::UniqueFd socket = listener();
    Contents contents{[](std::string_view verb, const json&) -> Result<json> {
        return documented(std::string(verb));
    }};
    Result<Server> server = Server::on(socket, contents);
};

TEST_F(ServerTest, AnswersARequest) {
    ASSERT_TRUE(server);
    EXPECT_THAT(answer_to("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                      HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
                      HasSubstr("Cache-Control: no-store\r\n"), HasSubstr("\nvpnha_up 1\n")));
    EXPECT_THAT(answer_to("GET / HTTP/1.0\r\n\r\n"),
                AllOf(HasSubstr("Content-Security-Policy: default-src 'none'"),
                      HasSubstr("X-Content-Type-Options: nosniff\r\n"), EndsWith("</html>\n")));
}

TEST_F(ServerTest, AHeadHasNoBody) {
    EXPECT_THAT(answer_to("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(ServerTest, RefusesWhatIsNoRequestForIt) {
    EXPECT_THAT(answer_to("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                          "Content-Length: 3\r\n\r\nabc"),
                StartsWith("HTTP/1.1 405"));
    EXPECT_THAT(answer_to("GET /../etc/passwd HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(answer_to("GET /" + std::string(20'000, 'a') + " HTTP/1.0\r\n\r\n"),
                StartsWith("HTTP/1.1 4"));
    // Some releases of libmicrohttpd close the connection without a word.
    EXPECT_THAT(answer_to("nonsense\r\n\r\n"), Not(HasSubstr("200 OK")));
}

TEST_F(ServerTest, ItNeedsASocketThatListens) {
    const adapters::UniqueFd client = client_of(socket);
    EXPECT_FALSE(Server::on(client, contents));
    EXPECT_FALSE(Server::on(adapters::UniqueFd(), contents));
}

}  // namespace server_test
}  // namespace vpnha::exporter
