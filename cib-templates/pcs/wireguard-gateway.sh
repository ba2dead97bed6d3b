#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/wireguard-gateway.crm by cib-templates/generate.
# One WireGuard gateway of vpnha: `sh FILE` after replacing the @…@. The kernel
# is its server, and vpnhad creates the device, so there is no stock daemon. The reasons for the rest
# are in l2tp-gateway.crm. A gateway that serves WireGuard beside L2TP or PPTP needs only the template of
# these. For a further gateway of the same cluster load it once more, with other values and a
# suffix.
#
#   @NODES@              the cluster's nodes: "gw1 gw2 gw3"
#   @GATEWAY@            the gateway's name in vpnha.toml
#   @SUFFIX@             nothing; for a further gateway a suffix of its resources: "-dialin2"
#   @FENCE_AGENT@        your power fencing: fence_ipmilan, fence_virsh, …
#   @FENCE_PARAMETERS@   its parameters: ip=… username=…

set -eu
cib=$(mktemp -d)
trap 'rm -rf "$cib"' EXIT
pcs cluster cib "$cib/old"
cp "$cib/old" "$cib/new"

pcs -f "$cib/new" property set --force \
    stonith-enabled=true stonith-action=off concurrent-fencing=true \
    no-quorum-policy=freeze fence-reaction=panic transition-delay=300ms

pcs -f "$cib/new" resource defaults update \
    migration-threshold=1 failure-timeout=60s resource-stickiness=100

if ! pcs -f "$cib/new" stonith config fencing >/dev/null 2>&1; then
    pcs -f "$cib/new" stonith create fencing @FENCE_AGENT@ \
        pcmk_host_list="@NODES@" pcmk_host_check=static-list @FENCE_PARAMETERS@ \
        op start interval=0 timeout=60s \
        --no-default-ops
    pcs -f "$cib/new" stonith op remove fencing monitor
fi

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

pcs -f "$cib/new" resource clone checkpoint@SUFFIX@ checkpoint@SUFFIX@-clone \
    meta promotable=true promoted-max=1 promoted-node-max=1 notify=false interleave=true

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
