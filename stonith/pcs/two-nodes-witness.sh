#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/two-nodes-witness.crm by cib-templates/generate.
# Two nodes and a witness (docs/operate/witness.md). Level 1: the witness decides which of two
# nodes that lose each other survives, and power follows. Level 2 is for a silent witness:
# the one that serves nothing waits, as in two-nodes.crm. Load it after
# cib-templates/l2tp-gateway.crm, whose power device is `fencing`, and all of it at once:
# without the topology the other two devices refuse to start.
#
#   @NODES@   the cluster's nodes: "gw1 gw2"
#
# If each node has its own board (ipmilan.crm, redfish.crm), load that file first, and write
# the topology with two levels for each node, in one line:
#   fencing_topology gw1: fencing-duel,fencing-gw1 fencing-yield,fencing-gw1
#                    gw2: fencing-duel,fencing-gw2 fencing-yield,fencing-gw2
#
# The witness is the second vote of the surviving node, so a standby serves before Pacemaker knows
# of the death. When the two lose each other, each one fences the other. mode=duel asks the
# witness to mark the other node first. The witness marks one of the two at most, and fencing by the
# other one fails before its power device is used. The node that holds the lease asks at once, the
# other one 5 s after the loss, or as soon as no voter answers the holder any more. So a death costs no
# delay, and after a cut the serving node survives. It serves meanwhile.
#
# Protects against: two living nodes that switch each other off. A holder whose Corosync hangs:
#   the other node marks it 5 s after the loss.
# Does not protect against: a power switch that cannot be reached. Then a node that died stays
#   "unclean", and the other one continues to serve by the lease alone. A node that the witness has marked
#   nevertheless switches the other one off, by level 2, 30 s after the loss, if the other one could not
#   switch it off. The death of a node while the witness is gone: the surviving node is silent
#   until either is back (docs/explain/failure-model.md explains why no confirmation replaces it).
# Costs: those of power; clients do not wait for it. While the witness is silent, fencing takes
#   longer, by the delay of two-nodes.crm, and by 3 s if the witness was lost at the same time.

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

pcs -f "$cib/new" stonith create fencing-duel fence_vpnha \
    mode=duel pcmk_host_list="@NODES@" pcmk_host_check=static-list \
    pcmk_reboot_action=off timeout=10 \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing-duel monitor

pcs -f "$cib/new" stonith create fencing-yield fence_vpnha \
    mode=yield delay_ms=1700 pcmk_host_list="@NODES@" pcmk_host_check=static-list \
    pcmk_reboot_action=off \
    op start interval=0 timeout=60s \
    --no-default-ops
pcs -f "$cib/new" stonith op remove fencing-yield monitor

pcs -f "$cib/new" stonith level add 1 'regexp%.*' fencing-duel fencing
pcs -f "$cib/new" stonith level add 2 'regexp%.*' fencing-yield fencing

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
