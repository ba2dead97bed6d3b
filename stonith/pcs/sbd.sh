#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/sbd.crm by cib-templates/generate.
# sbd: a node fences itself by its hardware watchdog. Two kinds; choose one of them.
#
# Protects against: everything that runs on the victim, like power; needs no network to its
#   management board.
# Does not protect against: a watchdog that is no hardware (softdog dies with its kernel; a paused virtual
#   machine has a paused watchdog).
# Costs: the time-outs below, always, because no node can see that the victim is dead: the takeover
#   waits for all of them. Not measured in the lab, whose nodes have no watchdog; the figures are the
#   configured ones: 10 000 ms without a disk, msgwait (twice the watchdog's time-out, 10 000 ms as
#   sbd creates the disk) with one.

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# Without a disk: sbd runs on all nodes (SBD_WATCHDOG_TIMEOUT=5 in /etc/default/sbd). Three votes or
# more, or a quorum device: never with two nodes only, because both would end themselves, or neither.
pcs -f "$cib/new" property set \
    stonith-watchdog-timeout=10s

# With a shared disk (`sbd -d @SBD_DEVICES@ create`), also for two nodes:
#
# primitive fencing-sbd stonith:fence_sbd params devices=@SBD_DEVICES@ \
#     op start interval=0 timeout=60s

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
