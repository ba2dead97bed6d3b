#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/l2tp-gateway.crm by cib-templates/generate.
# One L2TP gateway of vpnha: `sh FILE` after replacing the @…@. For a further
# gateway of the same cluster load it once more, with other values and a suffix.
#
#   @NODES@              the cluster's nodes: "gw1 gw2 gw3"
#   @GATEWAY@            the gateway's name in vpnha.toml
#   @SUFFIX@             nothing; for a further gateway a suffix of its resources: "-dialin2"
#   @XL2TPD_CONFIG@      its xl2tpd.conf, the same path on all nodes
#   @FENCE_AGENT@        your power fencing: fence_ipmilan, fence_virsh, …
#   @FENCE_PARAMETERS@   its parameters: ip=… username=…

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

# stonith-enabled: a lost node may still send for the gateway; Pacemaker promotes no other node before
#   its power is off.
# stonith-action=off, not reboot: the takeover waits for the end of the fencing, and off ends sooner.
# no-quorum-policy=freeze: without quorum Pacemaker leaves everything as it is instead of stopping
#   the services; when the votes return, the gateway continues after a moment of silence.
# fence-reaction=panic: a node that learns that it was fenced resets itself at once instead of
#   stopping its resources.
# transition-delay: Pacemaker's daemons need ~220 ms to remove a lost node's state, because Corosync
#   accepts no message while it synchronises, and they retry 210 ms later. A controller that calls
#   the scheduler meanwhile sleeps a whole second, once or twice (do_pe_invoke_callback()).
#   Measured where no standby stands in: 1.4 s from power cut to the first packet with 250 ms, 2.3 to
#   3.1 s without. 300, because
#   nodes that were slow for a moment needed 290 ms (two of sixteen in the lab).
pcs -f "$cib/new" property set --force \
    stonith-enabled=true stonith-action=off concurrent-fencing=true \
    no-quorum-policy=freeze fence-reaction=panic transition-delay=300ms

# The first failure moves the gateway: after a recovery in place it would lose its sessions; the standbys
# have them. The failure expires, so that the node becomes a candidate again without an administrator.
# Stickiness: no failback, because a move is a small risk without a benefit. Move by `vpnha
#   switchover`: the constraint of `crm resource move` moves the role again whenever its node returns.
pcs -f "$cib/new" resource defaults update \
    migration-threshold=1 failure-timeout=60s resource-stickiness=100

# crm and XML start the device on every node, so that a node's death moves none. pcs 0.12 refuses to
# clone it, so by pcs one node starts it, and another one when that node is gone: fencing itself waits
# for neither. No recurring monitor: it would only load the nodes; monitor your fencing hardware like
# your other hardware.
if ! pcs -f "$cib/new" stonith config fencing >/dev/null 2>&1; then
    pcs -f "$cib/new" stonith create fencing @FENCE_AGENT@ \
        pcmk_host_list="@NODES@" pcmk_host_check=static-list @FENCE_PARAMETERS@ \
        op start interval=0 timeout=60s \
        --no-default-ops
    pcs -f "$cib/new" stonith op remove fencing monitor
fi

# Monitors every 2 s: they query vpnhad over its socket, which costs little. The intervals differ
# because Pacemaker distinguishes operations by name and interval.
# After a failed demote or stop the node may still send: only power fencing helps then.
# failure-timeout: a standby whose vpnhad was killed is soon a standby again; it serves no client that
#   a second failure could disturb.
pcs -f "$cib/new" resource create checkpoint@SUFFIX@ ocf:vpnha:checkpoint \
    gateway=@GATEWAY@ \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s on-fail=fence \
    op promote interval=0 timeout=20s \
    op demote interval=0 timeout=20s on-fail=fence \
    op monitor interval=2s role=Promoted timeout=20s \
    op monitor interval=3s role=Unpromoted timeout=20s \
    meta failure-timeout=15s \
    --no-default-ops

# notify=false: with notifications five agent runs would precede every promote.
pcs -f "$cib/new" resource clone checkpoint@SUFFIX@ checkpoint@SUFFIX@-clone \
    meta promotable=true promoted-max=1 promoted-node-max=1 notify=false interleave=true

# The stock daemon runs on every node, idle and behind the gate: a takeover starts nothing.
pcs -f "$cib/new" resource create xl2tpd@SUFFIX@ ocf:vpnha:xl2tpd \
    gateway=@GATEWAY@ config=@XL2TPD_CONFIG@ \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s on-fail=fence \
    op monitor interval=2s timeout=20s \
    --no-default-ops

pcs -f "$cib/new" resource clone xl2tpd@SUFFIX@ xl2tpd@SUFFIX@-clone \
    meta interleave=true

# A gateway whose xl2tpd has died accepts no new clients, so it moves. It is demoted, which is
# silent, before its daemon is stopped. Neither inf nor Mandatory: added to infinity, all of Pacemaker's
# promotion scores are equal, and a node with an empty replica would be promoted like one
# that has everything; and resources that depend on xl2tpd would be stopped with it, not demoted.
pcs -f "$cib/new" constraint colocation add \
    Promoted checkpoint@SUFFIX@-clone with Started xl2tpd@SUFFIX@-clone \
    10000 id=gateway-with-xl2tpd@SUFFIX@

pcs -f "$cib/new" constraint order \
    start xl2tpd@SUFFIX@-clone "then" promote checkpoint@SUFFIX@-clone \
    kind=Optional id=xl2tpd-before-gateway@SUFFIX@

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
