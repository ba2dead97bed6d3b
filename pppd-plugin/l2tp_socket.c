/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "l2tp_socket.h"

#include <arpa/inet.h>
#include <linux/if_pppol2tp.h>
#include <linux/if_pppox.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

static int option_is_on(int fd, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_PPPOL2TP, name, &value, &length) == 0 && value != 0;
}

int vpnha_find_l2tp_session(struct vpnha_session* session) {
    /* pppd has the socket's number only in a variable of pppol2tp.so, which need not be the plugin
     * in use. The kernel knows which of our descriptors is such a socket. It has the number that it
     * has in xl2tpd, two more with each tunnel. xl2tpd and pppd wait for it by select(). */
    for (int fd = 0; fd < FD_SETSIZE; fd++) {
        union {
            struct sockaddr any;
            struct sockaddr_storage room;
            struct sockaddr_pppol2tp pppol2tp;
        } name;
        socklen_t length = sizeof name;
        memset(&name, 0, sizeof name);
        if (getsockname(fd, &name.any, &length) != 0 || name.any.sa_family != AF_PPPOX ||
            length != sizeof name.pppol2tp || name.pppol2tp.sa_protocol != PX_PROTO_OL2TP ||
            name.pppol2tp.pppol2tp.s_session == 0) {
            continue;
        }
        const struct pppol2tp_addr kernel = name.pppol2tp.pppol2tp; /* The member is packed. */
        session->transport = (struct vpnha_transport){.protocol = "l2tp"};
        vpnha_add_id(&session->transport, ntohl(kernel.addr.sin_addr.s_addr), 4);
        vpnha_add_id(&session->transport, ntohs(kernel.addr.sin_port), 2);
        vpnha_add_id(&session->transport, kernel.s_tunnel, 2);
        vpnha_add_id(&session->transport, kernel.d_tunnel, 2);
        vpnha_add_id(&session->transport, kernel.s_session, 2);
        vpnha_add_id(&session->transport, kernel.d_session, 2);
        /* The resumed side cannot continue the numbers of the data packets. */
        if (option_is_on(fd, PPPOL2TP_SO_RECVSEQ)) {
            session->not_resumable |= VPNHA_NOT_SEQUENCED;
        }
        if (!option_is_on(fd, PPPOL2TP_SO_LNSMODE)) {
            session->not_resumable |= VPNHA_NOT_LAC;
        }
        return 1;
    }
    return 0;
}
