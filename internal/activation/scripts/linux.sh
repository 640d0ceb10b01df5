#!/bin/sh
# Installs SSM Agent and registers this machine as a managed node.
#
#   activation  @ID@ in @REGION@
#   registers   @LIMIT@
#   until       @EXPIRES@
#
# The code below lets a machine join: keep this file from others, and delete it
# when the machines are registered. Run it as root. It may be run again: a machine
# that is registered stays what it is, unless REREGISTER=1 is set.
set -eu

activation_id=@ID_QUOTED@
activation_code=@CODE_QUOTED@
region=@REGION_QUOTED@
bucket="https://amazon-ssm-$region.s3.$region.@DOMAIN@"

fail() {
    echo "install: $*" >&2
    exit 1
}

[ "$(uname -s)" = Linux ] || fail "this script is for Linux"
[ "$(id -u)" -eq 0 ] || fail "run this as root"

# A 64-bit kernel may have a 32-bit system on it, as on Raspberry Pi OS: the
# package manager knows.
if command -v dpkg >/dev/null 2>&1; then
    family=debian machine=$(dpkg --print-architecture)
else
    family=linux machine=$(uname -m)
fi
case $machine in
x86_64 | amd64) arch=amd64 ;;
aarch64 | arm64) arch=arm64 ;;
armhf | armv6l | armv7l | armv8l) arch=arm ;;
i386 | i586 | i686) arch=386 ;;
*) fail "there is no SSM Agent for $machine" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
setup=$work/ssm-setup-cli
url="$bucket/latest/${family}_$arch/ssm-setup-cli"
if command -v curl >/dev/null 2>&1; then
    curl -fsSL --proto '=https' --retry 3 -o "$setup" "$url" || fail "cannot download $url"
elif command -v wget >/dev/null 2>&1; then
    wget -q -O "$setup" "$url" || fail "cannot download $url"
else
    fail "curl or wget is needed"
fi
chmod 700 "$setup"

# It verifies the signature of the agent, installs, registers and starts it.
if [ "${REREGISTER:-}" = 1 ]; then
    "$setup" -register -override -activation-code "$activation_code" -activation-id "$activation_id" -region "$region"
else
    "$setup" -register -activation-code "$activation_code" -activation-id "$activation_id" -region "$region"
fi
echo "install: done; the node shows up in \`ssmdeck activation watch $activation_id\`" >&2
