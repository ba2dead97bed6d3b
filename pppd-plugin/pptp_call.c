/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pptp_call.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 64, TEXT_BYTES = 256, LINE_BYTES = 512 };

/* The port of the control connection with that socket, from /proc/net/tcp; 0: it is missing. */
static uint16_t port_of_peer(unsigned long inode) {
    char line[LINE_BYTES];
    unsigned port = 0;
    FILE* const file = fopen("/proc/net/tcp", "re");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned found_port;
        unsigned long found;
        if (sscanf(line, " %*u: %*x:%*x %*x:%x %*x %*x:%*x %*x:%*x %*x %*u %*u %lu", &found_port,
                   &found) == 2 &&
            found == inode) {
            port = found_port;
            break;
        }
    }
    fclose(file);
    return (uint16_t)port;
}

static int read_start(const char* path, char* text, size_t room) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = -1;
    if (fd >= 0) {
        length = read(fd, text, room - 1);
        close(fd);
    }
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

int vpnha_find_pptp_call(struct vpnha_session* session) {
    char path[PATH_BYTES];
    char text[TEXT_BYTES];
    char address[INET_ADDRSTRLEN];
    unsigned peer_call, call;
    unsigned long inode;
    struct in_addr peer;
    const int parent = (int)getppid();
    /* pptpctrl has the call in its title: the peer's address and id, its own id. */
    snprintf(path, sizeof path, "/proc/%d/cmdline", parent);
    if (!read_start(path, text, sizeof text) ||
        sscanf(text, "pptpd [%15[0-9.]:%4x - %4x]", address, &peer_call, &call) != 3 ||
        inet_pton(AF_INET, address, &peer) != 1) {
        return 0;
    }
    /* Its standard input is the control connection. */
    snprintf(path, sizeof path, "/proc/%d/fd/0", parent);
    const ssize_t length = readlink(path, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    if (sscanf(text, "socket:[%lu]", &inode) != 1) {
        return 0;
    }
    const uint16_t port = port_of_peer(inode);
    session->transport = (struct vpnha_transport){.protocol = "pptp", .has_mppe = 1};
    vpnha_add_id(&session->transport, ntohl(peer.s_addr), 4);
    vpnha_add_id(&session->transport, port, 2);
    vpnha_add_id(&session->transport, call, 2);
    vpnha_add_id(&session->transport, peer_call, 2);
    return port != 0;
}
