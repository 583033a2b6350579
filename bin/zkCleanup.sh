#!/bin/sh
# Remove old snapshots and logs of the server that zoo.cfg describes: zkCleanup.sh [--config DIR] -n COUNT

ZOOBIN="$(readlink -f "$0" 2>/dev/null)"
ZOOBINDIR="$(cd "$(dirname "${ZOOBIN:-$0}")" && pwd)"
if [ -e "$ZOOBINDIR/../libexec/zkEnv.sh" ]; then
	. "$ZOOBINDIR/../libexec/zkEnv.sh"
else
	. "$ZOOBINDIR/zkEnv.sh"
fi

dataDir="$(cfg dataDir)"
dataLogDir="$(cfg dataLogDir)"
if [ -n "$dataLogDir" ]; then
	exec "$ZOOID" cleanup "$dataLogDir" "$dataDir" "$@"
fi
exec "$ZOOID" cleanup "$dataDir" "$@"
