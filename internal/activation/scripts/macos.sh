#!/bin/sh
# Installs SSM Agent on macOS and registers this machine as a managed node.
#
#   activation  @ID@ in @REGION@
#   registers   @LIMIT@
#   until       @EXPIRES@
#
# AWS supports macOS as a managed node on EC2 only: elsewhere it may work, and
# nobody promises it.
#
# The code below lets a machine join: keep this file from others, and delete it
# when the machines are registered. Run it as root. A machine that is registered
# stays what it is, unless REREGISTER=1 is set.
set -eu

activation_id=@ID_QUOTED@
activation_code=@CODE_QUOTED@
region=@REGION_QUOTED@
bucket="https://amazon-ssm-$region.s3.$region.@DOMAIN@"
agent=/opt/aws/ssm/bin/amazon-ssm-agent
service=/Library/LaunchDaemons/com.amazon.aws.ssm.plist

fail() {
    echo "install: $*" >&2
    exit 1
}

[ "$(uname -s)" = Darwin ] || fail "this script is for macOS"
[ "$(id -u)" -eq 0 ] || fail "run this as root"
case $(uname -m) in
x86_64) arch=amd64 ;;
arm64) arch=arm64 ;;
*) fail "there is no SSM Agent for $(uname -m)" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
package=$work/amazon-ssm-agent.pkg
url="$bucket/latest/darwin_$arch/amazon-ssm-agent.pkg"
curl -fsSL --proto '=https' --retry 3 -o "$package" "$url" || fail "cannot download $url"
pkgutil --check-signature "$package" >/dev/null || fail "the package is not signed"
installer -pkg "$package" -target /

launchctl unload "$service" 2>/dev/null || true
if [ "${REREGISTER:-}" != 1 ] && [ -e /opt/aws/ssm/data/registration ]; then
    echo "install: this machine is registered already; REREGISTER=1 registers it again" >&2
else
    "$agent" -register -y -code "$activation_code" -id "$activation_id" -region "$region"
fi
launchctl load -w "$service"
launchctl start com.amazon.aws.ssm
echo "install: done; the node shows up in \`ssmdeck activation watch $activation_id\`" >&2
