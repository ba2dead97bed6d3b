/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First process of an emulated node: loads the modules that its kernel needs to see the host's
 * files, makes these its root, read only, and becomes the program that VPNHA_INIT names. The
 * modules lie in /modules, their order in /modules/order. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A node without a root ends: the lab then shows its console. */
static void fail(const char* what) {
    printf("first: %s: %s\n", what, strerror(errno));
    fflush(stdout);
    reboot(RB_POWER_OFF);
    _exit(1);
}

static void load_modules(void) {
    FILE* const order = fopen("order", "re");
    char name[128];
    if (order == NULL) {
        fail("/modules/order");
    }
    while (fscanf(order, "%127s", name) == 1) {
        const int module = open(name, O_RDONLY | O_CLOEXEC);
        if (module < 0 || syscall(SYS_finit_module, module, "", 0) != 0) {
            fail(name);
        }
        close(module);
    }
    fclose(order);
}

int main(void) {
    char* const program = getenv("VPNHA_INIT");
    if (program == NULL) {
        errno = EINVAL;
        fail("VPNHA_INIT");
    }
    if (chdir("/modules") != 0) {
        fail("/modules");
    }
    load_modules();
    if (mount("root", "/root", "9p", MS_RDONLY, getenv("VPNHA_ROOT_OPTIONS")) != 0) {
        fail("the host's files");
    }
    if (chdir("/root") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 ||
        chdir("/") != 0) {
        fail("the host's files as the root");
    }
    execl(program, program, (char*)NULL);
    fail(program);
}
