#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Made from cib-templates/ikev2-gateway.crm by cib-templates/generate.
# One gateway of vpnha with only IKEv2: `sh FILE` after replacing the @…@. The
# reasons for all settings except charon's are in l2tp-gateway.crm. A network namespace has one charon, so of
# several gateways with IPsec each has its own netns in vpnha.toml; then load apart.crm after them.
#
#   @NODES@              the cluster's nodes: "gw1 gw2 gw3"
#   @GATEWAY@            the gateway's name in vpnha.toml; it has the table [gateway.NAME.ipsec]
#   @SUFFIX@             nothing; in a cluster of several gateways a suffix of its resources
#   @SWANCTL_CONFIG@     its connections: "/etc/swanctl/swanctl.conf"; of several gateways each has a file
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

# charon runs on every node, passive and behind the gate; vpnhad sends it SAs and activates it.
# The first monitor checks that its process lives, the second queries it.
# After a failed stop charon may still send: only power fencing helps then.
# failure-timeout: a standby whose charon was killed is soon a standby again; it serves no client that
#   a second failure could disturb.
pcs -f "$cib/new" resource create strongswan@SUFFIX@ ocf:vpnha:strongswan \
    gateway=@GATEWAY@ config=@SWANCTL_CONFIG@ \
    op start interval=0 timeout=20s \
    op stop interval=0 timeout=20s on-fail=fence \
    op monitor interval=2s timeout=20s \
    op monitor interval=10s timeout=20s OCF_CHECK_LEVEL=10 \
    meta failure-timeout=15s \
    --no-default-ops

pcs -f "$cib/new" resource clone strongswan@SUFFIX@ strongswan@SUFFIX@-clone \
    meta interleave=true

# A gateway whose charon has died moves, and is demoted before charon is stopped.
pcs -f "$cib/new" constraint colocation add \
    Promoted checkpoint@SUFFIX@-clone with Started strongswan@SUFFIX@-clone \
    10000 id=gateway-with-strongswan@SUFFIX@

pcs -f "$cib/new" constraint order \
    start strongswan@SUFFIX@-clone "then" promote checkpoint@SUFFIX@-clone \
    kind=Optional id=strongswan-before-gateway@SUFFIX@

# A new charon requests all SAs once, a second after its start: vpnhad must listen before that.
pcs -f "$cib/new" constraint order \
    start checkpoint@SUFFIX@-clone "then" start strongswan@SUFFIX@-clone \
    kind=Optional id=vpnhad-before-strongswan@SUFFIX@

pcs cluster cib-push "$cib/new" diff-against="$cib/old"
