/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in front of pptpctrl for a pptpd that start-pptpd has started. Every pptpd counts the call
 * ids of its clients from 0 on, 128 for each connection: two nodes give out the same, one node does
 * so again after each start, and a client's GRE names nothing but its call. So this gives the call
 * another id, and becomes pptpctrl.
 *
 * Each connection of a node has a block of 128 ids, of which the node's share is 8. The number of
 * the last block is in a file, so that a new pptpd continues there. A call that another node has
 * resumed may return to this node, and meet a new call of the same client's address.
 *
 * Arguments of pptpctrl 1.4.0: debug noipparam, then for options file, speed, local and remote
 * address a 0, or a 1 and the value; the call id; pppd, logwtmp. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <syslog.h>
#include <unistd.h>

enum { FIRST_OPTION = 3, OPTIONS = 4 };
enum { CALL_IDS = 65536, IDS_OF_A_BLOCK = 128, BLOCKS = CALL_IDS / IDS_OF_A_BLOCK };

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

/* The next block in the file. Of no use is a file that is not there yet, or a disk that refuses:
 * then any block, which no other call has but by chance. */
static unsigned next_block(const char* path) {
    uint16_t block = 0;
    const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    const int is_known = file >= 0 && flock(file, LOCK_EX) == 0 &&
                         pread(file, &block, sizeof block, 0) == sizeof block;
    if (!is_known && getrandom(&block, sizeof block, 0) != sizeof block) {
        block = (uint16_t)getpid();
    }
    block = (uint16_t)((block + 1) % BLOCKS);
    if (file < 0 || pwrite(file, &block, sizeof block, 0) != sizeof block) {
        syslog(LOG_DAEMON | LOG_WARNING, "vpnha: the last call id in %s: %s", path,
               strerror(errno));
    } else {
        /* On its way to the disk, for a power cut; a slow disk holds no client up. */
        sync_file_range(file, 0, sizeof block, SYNC_FILE_RANGE_WRITE);
    }
    if (file >= 0) {
        close(file);
    }
    return block;
}

int main(int argc, char** argv) {
    /* All three are start-pptpd's. */
    const char* const program = getenv("VPNHA_PPTPCTRL");
    const char* const offset = getenv("VPNHA_CALL_ID_OFFSET");
    const char* const last = getenv("VPNHA_LAST_CALL_ID");
    const int place = place_of_call_id(argc, argv);
    char id[sizeof "65535"];
    if (program == NULL || offset == NULL || last == NULL) {
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
             (next_block(last) * IDS_OF_A_BLOCK + strtoul(offset, NULL, 10)) % CALL_IDS);
    argv[place] = id;
    execv(program, argv);
    syslog(LOG_DAEMON | LOG_ERR, "vpnha: executing %s: %s", program, strerror(errno));
    return 1;
}
