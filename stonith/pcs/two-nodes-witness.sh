#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from stonith/two-nodes-witness.crm by cib-templates/generate.
# Two nodes and a witness (docs/operate/witness.md). Level 1: the witness decides which one of two
# nodes that lose each other is left, and power follows. Level 2 is for a silent witness:
# the one that serves nothing waits, as in two-nodes.crm. Load it after
# cib-templates/l2tp-gateway.crm, whose power device is meant by `fencing`, and all of it at once:
# without the topology the other two devices refuse to start.
#
#   @NODES@   the cluster's nodes: "gw1 gw2"
#
# Where each node has a board of its own (ipmilan.crm, redfish.crm), load that one first, and write
# the topology with two levels for each node, in one line:
#   fencing_topology gw1: fencing-duel,fencing-gw1 fencing-yield,fencing-gw1
#                    gw2: fencing-duel,fencing-gw2 fencing-yield,fencing-gw2
#
# The witness is the second vote of the node that is left, so a standby serves before Pacemaker knows
# of the death. When the two lose each other, each has the other one switched off. mode=duel asks the
# witness to mark the other node first. The witness marks one of the two at most, and fencing by the
# other one fails before its power device is used. The node that holds the lease asks at once, the
# other one 5 s after the loss, or as soon as nobody answers the holder any more. So a death costs no
# delay, and after a cut the node that serves is left. It serves meanwhile.
#
# Protects against: two nodes that live and switch each other off. A holder whose Corosync hangs:
#   the other node marks it 5 s after the loss.
# Does not protect against: a power switch that cannot be reached. Then a node that died stays
#   "unclean", and the other one serves on by the lease alone. A node that the witness has marked
#   switches the other one off all the same, by level 2, 30 s after the loss: the other one could not
#   switch it off. The death of a node while the witness is gone: the node that is left is silent
#   until either is back (docs/explain/failure-model.md has why no confirmation takes its place).
# Costs: what power costs; clients do not wait for it. While the witness is silent fencing takes
#   longer, by the delay of two-nodes.crm, and by 3 s where the witness was lost just then.

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
