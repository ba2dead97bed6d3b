/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints how many kHz the processor's time stamp counter has, by CLOCK_MONOTONIC. An emulated
 * kernel would measure that against an emulated timer, and be wrong by what the host does
 * meanwhile. */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

enum { TRIES = 20 };
#define NS_PER_S 1000000000LL

struct sample {
    long long ns;
    unsigned long long ticks;
};

static long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Of several, the one that took the shortest time. */
static struct sample take(void) {
    struct sample best = {0, 0};
    long long shortest = NS_PER_S;
    for (int i = 0; i < TRIES; i++) {
        const long long before = now_ns();
        const unsigned long long ticks = __rdtsc();
        const long long spent = now_ns() - before;
        if (spent < shortest) {
            shortest = spent;
            best = (struct sample){before + spent / 2, ticks};
        }
    }
    return best;
}

int main(void) {
    const struct timespec pause = {1, 0};
    const struct sample first = take();
    nanosleep(&pause, NULL);
    const struct sample last = take();
    printf("%.0f\n", (double)(last.ticks - first.ticks) * 1e6 / (double)(last.ns - first.ns));
    return 0;
}
