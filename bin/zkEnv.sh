# What the scripts beside this one share; they read it with ".". It takes "--config DIR" off their arguments and sets
#
#   ZOOCFGDIR    where zoo.cfg, zookeeper-env.sh and java.env are; the last two are read here
#   ZOOCFG       zoo.cfg's path
#   ZOO_LOG_DIR  where the server's output goes
#   ZOOID        the program
#
# SERVER_JVMFLAGS, JVMFLAGS and CLIENT_JVMFLAGS are passed on: zooid takes the -D from them and nothing else. JAVA_HOME, heap
# sizes and the JMX variables mean nothing here and are accepted.

ZOOBINDIR="${ZOOBINDIR:-/usr/bin}"
ZOOKEEPER_PREFIX="$ZOOBINDIR/.."

if [ $# -gt 1 ] && [ "$1" = "--config" ]; then
	ZOOCFGDIR=$2
	shift 2
fi

if [ -z "$ZOOCFGDIR" ]; then
	if [ -e "$ZOOKEEPER_PREFIX/conf" ]; then
		ZOOCFGDIR="$ZOOKEEPER_PREFIX/conf"
	else
		ZOOCFGDIR="$ZOOKEEPER_PREFIX/etc/zookeeper"
	fi
fi

if [ -f "$ZOOCFGDIR/zookeeper-env.sh" ]; then
	. "$ZOOCFGDIR/zookeeper-env.sh"
fi

ZOOCFG="$ZOOCFGDIR/${ZOOCFG:-zoo.cfg}"

if [ -f "$ZOOCFGDIR/java.env" ]; then
	. "$ZOOCFGDIR/java.env"
fi

ZOO_LOG_DIR="${ZOO_LOG_DIR:-$ZOOKEEPER_PREFIX/logs}"
HOSTNAME="${HOSTNAME:-$(uname -n)}"

if [ -z "$ZOOID" ]; then
	for ZOOID in "$ZOOBINDIR/../zooid" "$ZOOBINDIR/../bin/zooid" "$(command -v zooid)" ""; do
		if [ -n "$ZOOID" ] && [ -f "$ZOOID" ] && [ -x "$ZOOID" ]; then
			break
		fi
	done
fi
if [ -z "$ZOOID" ]; then
	echo "Error: ZOOID is not set and zooid could not be found beside the scripts or in PATH." >&2
	exit 1
fi

export SERVER_JVMFLAGS JVMFLAGS CLIENT_JVMFLAGS

# cfg KEY [FILE] prints what zoo.cfg says of KEY: the last line with it, whichever of Java's separators it uses, trimmed.
cfg() {
	sed -n "s/^[[:space:]]*$1[[:space:]]*[=:[:space:]][[:space:]]*//p" "${2:-$ZOOCFG}" | sed -n 's/[[:space:]]*$//; $p'
}
