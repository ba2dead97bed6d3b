#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# load_in_pppd.sh PLUGIN: does the stock pppd load it, know its options and refuse a bad one?
set -eu
plugin=$1

# LD_BIND_NOW: a symbol that pppd does not have fails here and not at the first session.
if ! output=$(LD_BIND_NOW=1 /usr/sbin/pppd plugin "$plugin" vpnha_gateway dialin \
    vpnha_socket /nonexistent vpnha_wait 50 --version 2>&1); then
    echo "pppd refused the plugin: $output" >&2
    exit 1
fi
case $output in
*"vpnha.so loaded"*) ;;
*) echo "pppd did not load the plugin: $output" >&2; exit 1 ;;
esac
if output=$(/usr/sbin/pppd plugin "$plugin" vpnha_wait 999999 --version 2>&1); then
    echo "pppd took a vpnha_wait beyond its bound: $output" >&2
    exit 1
fi

# What root's options may set, a user's own (the command line, ~/.ppprc) may not.
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
chmod 755 "$folder"
cp "$plugin" "$folder/vpnha.so"
echo "plugin $folder/vpnha.so" >"$folder/options"
for option in "vpnha_gateway dialin" "vpnha_socket /tmp/x" "vpnha_wait 50" vpnha_accounting; do
    # shellcheck disable=SC2016,SC2086  # The inner shell's $1; two words.
    if output=$(unshare --mount sh -c 'mount --bind "$1" /etc/ppp/options && shift && exec "$@"' \
        sh "$folder/options" setpriv --ruid=nobody /usr/sbin/pppd $option --version 2>&1); then
        echo "pppd took $option from a user: $output" >&2
        exit 1
    fi
    case $output in
    *"using the ${option%% *} option requires root privilege"*) ;;
    *) echo "pppd refused $option from a user for another reason: $output" >&2; exit 1 ;;
    esac
done
