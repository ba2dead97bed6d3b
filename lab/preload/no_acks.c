/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes pptp-linux a client that never acknowledges in GRE, as the PPTP of Android up to 11 (its
 * kernel's drivers/net/ppp/pppopns.c). Loaded by LD_PRELOAD. Of what is written to a raw socket the
 * field of the acknowledgement (RFC 2637 4.1) is taken out; what was nothing else is not sent. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HEADER = 8, NUMBER = 4, SEQUENCED = 0x10, ACKNOWLEDGED = 0x80, PACKET_MAX = 65536 };

static int is_raw(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_RAW;
}

ssize_t write(int fd, const void* data, size_t size) {
    static unsigned char packet[PACKET_MAX];
    const unsigned char* const gre = data;
    if (size < HEADER + NUMBER || size > sizeof packet || !is_raw(fd) ||
        (gre[1] & ACKNOWLEDGED) == 0)
        return syscall(SYS_write, fd, data, size);
    if ((gre[0] & SEQUENCED) == 0) return (ssize_t)size;
    const size_t kept = HEADER + NUMBER;
    memcpy(packet, gre, kept);
    packet[1] &= (unsigned char)~ACKNOWLEDGED;
    memcpy(packet + kept, gre + kept + NUMBER, size - kept - NUMBER);
    const ssize_t done = syscall(SYS_write, fd, packet, size - NUMBER);
    return done < 0 ? done : done + NUMBER;
}
