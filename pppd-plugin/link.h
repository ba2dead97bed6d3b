/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to vpnhad. Never blocks, and never ends a session: its failure only costs the
 * protection. The descriptor is closed on exec, so that scripts of pppd do not keep it open. */
#ifndef VPNHA_LINK_H
#define VPNHA_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "message.h"

enum vpnha_link_event {
    VPNHA_LINK_QUIET,    /* No message came. */
    VPNHA_LINK_ANSWERED, /* It is in `answer`. */
    VPNHA_LINK_LOST,     /* vpnhad is gone; the connection is closed. */
};

struct vpnha_link {
    int fd; /* -1: not connected. */
    struct vpnha_answer answer;
};

/* 0, or -1 with errno. Closes an old connection. */
int vpnha_link_open(struct vpnha_link* link, const char* path);
void vpnha_link_close(struct vpnha_link* link);
/* 0, or -1 with errno and the connection closed. */
int vpnha_link_send(struct vpnha_link* link, const uint8_t* bytes, size_t length);
/* Waits at most `wait_ms` for vpnhad's next message. */
enum vpnha_link_event vpnha_link_receive(struct vpnha_link* link, int wait_ms);

#endif
