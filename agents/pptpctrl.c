/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in front of pptpctrl for a pptpd that start-pptpd has started. Every pptpd counts the call
 * ids of its clients from 0 on, 128 for each connection: two nodes give out the same, and a
 * client's GRE names nothing but its call. So this adds the node's share of the 128 to the id, and
 * becomes pptpctrl.
 *
 * Arguments of pptpctrl 1.4.0: debug noipparam, then for options file, speed, local and remote
 * address a 0, or a 1 and the value; the call id; pppd, logwtmp. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum { FIRST_OPTION = 3, OPTIONS = 4, CALL_IDS = 65536 };

/* Where the call id stands; 0: these are not the arguments that this program knows. */
static int place_of_call_id(int argc, char** argv) {
    int place = FIRST_OPTION;
    for (int option = 0; option < OPTIONS; option++) {
        if (place >= argc) {
            return 0;
        }
        place += strcmp(argv[place], "1") == 0 ? 2 : 1;
    }
    if (place >= argc || argv[place][0] == '\0' ||
        strspn(argv[place], "0123456789") != strlen(argv[place])) {
        return 0;
    }
    return place;
}

int main(int argc, char** argv) {
    /* Both are start-pptpd's. */
    const char* const program = getenv("VPNHA_PPTPCTRL");
    const char* const offset = getenv("VPNHA_CALL_ID_OFFSET");
    const int place = place_of_call_id(argc, argv);
    char id[sizeof "65535"];
    if (program == NULL || offset == NULL) {
        fprintf(stderr, "I am started by the pptpd of start-pptpd only.\n");
        return 2;
    }
    if (place == 0) {
        /* A session that another node's may be taken for is worse than none. */
        syslog(LOG_DAEMON | LOG_ERR,
               "vpnha: this pptpd is not version 1.4.0, its calls are refused");
        return 1;
    }
    snprintf(id, sizeof id, "%lu",
             (strtoul(argv[place], NULL, 10) + strtoul(offset, NULL, 10)) % CALL_IDS);
    argv[place] = id;
    execv(program, argv);
    syslog(LOG_DAEMON | LOG_ERR, "vpnha: executing %s: %s", program, strerror(errno));
    return 1;
}
