#!/bin/sh
# A shell for a ZooKeeper server, with the options, commands and texts of Apache ZooKeeper's script of this name:
#
#   zkCli.sh [--config DIR] [-server host:port] [command]

ZOOBIN="$(readlink -f "$0" 2>/dev/null)"
ZOOBINDIR="$(cd "$(dirname "${ZOOBIN:-$0}")" && pwd)"
if [ -e "$ZOOBINDIR/../libexec/zkEnv.sh" ]; then
	. "$ZOOBINDIR/../libexec/zkEnv.sh"
else
	. "$ZOOBINDIR/zkEnv.sh"
fi

exec "$ZOOID" shell "$@"
