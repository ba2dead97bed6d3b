// SPDX-License-Identifier: GPL-2.0-or-later
// The scan of pppd's descriptors, with a kernel that has one PPPoL2TP socket.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_pppol2tp.h>
#include <linux/if_pppox.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <initializer_list>

extern "C" {
#include "l2tp_socket.h"
}

namespace {

int session_fd;  // The only socket of pppd.
int options_that_are_on;

}  // namespace

extern "C" {

int __wrap_getsockname(int fd, sockaddr* address, socklen_t* length);
int __wrap_getsockopt(int fd, int level, int name, void* value, socklen_t* length);

int __wrap_getsockname(int fd, sockaddr* address, socklen_t* length) {
    if (fd != session_fd) {
        errno = EBADF;
        return -1;
    }
    sockaddr_pppol2tp name{};
    name.sa_family = AF_PPPOX;
    name.sa_protocol = PX_PROTO_OL2TP;
    name.pppol2tp.addr.sin_family = AF_INET;
    name.pppol2tp.addr.sin_port = htons(1701);
    name.pppol2tp.addr.sin_addr.s_addr = htonl(0xc0000233);
    name.pppol2tp.s_tunnel = 1;
    name.pppol2tp.d_tunnel = 2;
    name.pppol2tp.s_session = 3;
    name.pppol2tp.d_session = 4;
    std::memcpy(address, &name, std::min<std::size_t>(*length, sizeof name));
    *length = sizeof name;
    return 0;
}

int __wrap_getsockopt(int, int, int name, void* value, socklen_t*) {
    const int is_on = (options_that_are_on >> name & 1);
    std::memcpy(value, &is_on, sizeof is_on);
    return 0;
}
}

namespace vpnha {
namespace {

class PppdL2tpSocketTest : public ::testing::Test {
  protected:
    PppdL2tpSocketTest() { options_that_are_on = 1 << PPPOL2TP_SO_LNSMODE; }

    vpnha_session session_{};
};

// An xl2tpd has two descriptors for each tunnel: that of its 200th session is above 400.
TEST_F(PppdL2tpSocketTest, FindsTheSessionAtEachNumberThatXl2tpdCanUse) {
    for (const int fd : {0, 5, 255, 256, 410, FD_SETSIZE - 1}) {
        session_fd = fd;
        session_ = {};
        ASSERT_EQ(vpnha_find_l2tp_session(&session_), 1) << fd;
        EXPECT_STREQ(session_.transport.protocol, "l2tp");
        EXPECT_EQ(session_.transport.ids_length, 14U);
        EXPECT_EQ(session_.not_resumable, 0U);
    }
}

TEST_F(PppdL2tpSocketTest, FindsNothingWithoutASocketOfL2tp) {
    session_fd = -1;
    EXPECT_EQ(vpnha_find_l2tp_session(&session_), 0);
}

TEST_F(PppdL2tpSocketTest, ReportsWhatAnotherNodeCannotResume) {
    session_fd = 7;
    options_that_are_on = 1 << PPPOL2TP_SO_RECVSEQ;
    ASSERT_EQ(vpnha_find_l2tp_session(&session_), 1);
    EXPECT_EQ(session_.not_resumable, unsigned{VPNHA_NOT_SEQUENCED | VPNHA_NOT_LAC});
}

}  // namespace
}  // namespace vpnha
