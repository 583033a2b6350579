#!/bin/sh
# Start, stop and look at a server, with the verbs, texts and exit codes of Apache ZooKeeper's script of this name.

ZOOBIN="$(readlink -f "$0" 2>/dev/null)"
ZOOBINDIR="$(cd "$(dirname "${ZOOBIN:-$0}")" && pwd)"
if [ -e "$ZOOBINDIR/../libexec/zkEnv.sh" ]; then
	. "$ZOOBINDIR/../libexec/zkEnv.sh"
else
	. "$ZOOBINDIR/zkEnv.sh"
fi

# There is no JMX, and nothing to switch: the line is here for those who compare what stderr says.
case "$JMXDISABLE" in
'' | false) echo "ZooKeeper JMX enabled by default" >&2 ;;
*) echo "JMX disabled by user request" >&2 ;;
esac

# A second argument is a file in the configuration directory, or the path of one elsewhere.
case "$2" in
'') ;;
*/*) ZOOCFG=$2 ;;
*) ZOOCFG="$ZOOCFGDIR/$2" ;;
esac
echo "Using config: $ZOOCFG" >&2

ZOO_DATADIR="$(cfg dataDir)"
ZOO_DATALOGDIR="$(cfg dataLogDir)"

if [ -n "$ZOO_DATADIR_AUTOCREATE_DISABLE" ]; then
	if [ ! -d "$ZOO_DATADIR/version-2" ]; then
		echo "ZooKeeper data directory is missing at $ZOO_DATADIR fix the path or run initialize"
		exit 1
	fi
	if [ -n "$ZOO_DATALOGDIR" ] && [ ! -d "$ZOO_DATALOGDIR/version-2" ]; then
		echo "ZooKeeper txnlog directory is missing at $ZOO_DATALOGDIR fix the path or run initialize"
		exit 1
	fi
	ZOO_DATADIR_AUTOCREATE="-Dzookeeper.datadir.autocreate=false"
fi

# Without a dataDir the server will say what is wrong; its pid must not go to the root directory meanwhile.
ZOOPIDFILE="${ZOOPIDFILE:-${ZOO_DATADIR:-$ZOO_LOG_DIR}/zookeeper_server.pid}"
ZOO_LOG_FILE="${ZOO_LOG_FILE:-zookeeper-$USER-server-$HOSTNAME.log}"
ZOO_OUT="$ZOO_LOG_DIR/zookeeper-$USER-server-$HOSTNAME.out"

server() {
	$ZOO_EXEC "$ZOOID" server $ZOO_DATADIR_AUTOCREATE "-Dzookeeper.log.dir=$ZOO_LOG_DIR" "-Dzookeeper.log.file=$ZOO_LOG_FILE" "$ZOOCFG"
}

# alive PID tells whether a process runs. One that ended and that nobody waited for, as in a container without init, does not.
alive() {
	kill -0 "$1" 2>/dev/null && ! grep -q ') Z ' "/proc/$1/stat" 2>/dev/null
}

start() {
	printf 'Starting zookeeper ... '
	if [ -f "$ZOOPIDFILE" ] && alive "$(cat "$ZOOPIDFILE")"; then
		echo "already running as process $(cat "$ZOOPIDFILE")."
		exit 1
	fi
	mkdir -p "$(dirname "$ZOOPIDFILE")" "$ZOO_LOG_DIR"
	ZOO_EXEC="exec nohup" # the subshell becomes the server, so $! is the server's pid
	server >"$ZOO_OUT" 2>&1 </dev/null &
	pid=$!
	if ! printf '%s' "$pid" >"$ZOOPIDFILE"; then
		kill "$pid" # nobody could stop it later
		echo FAILED TO WRITE PID
		exit 1
	fi
	sleep 1
	if alive "$pid"; then
		echo STARTED
	else
		echo FAILED TO START
		exit 1
	fi
}

# stop waits up to ten seconds for the end, so that a start that follows finds the port free; Apache's waits one, in any case.
stop() {
	printf 'Stopping zookeeper ... '
	if [ ! -f "$ZOOPIDFILE" ]; then
		echo "no zookeeper to stop (could not find file $ZOOPIDFILE)"
		return
	fi
	pid="$(cat "$ZOOPIDFILE")"
	kill "$pid"
	rm "$ZOOPIDFILE"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		alive "$pid" || break
		sleep 1
	done
	echo STOPPED
}

# find_client_port sets clientPort and clientPortAddress: from zoo.cfg, from this server's line there or in the dynamic file,
# or, for TLS, from secureClientPort.
find_client_port() {
	isSSL=false
	clientPort="$(cfg clientPort)"
	clientPortAddress="$(cfg clientPortAddress)"
	is_number "$clientPort" || find_server_line
	if [ -z "$clientPort" ]; then
		echo "Client port not found. Looking for secureClientPort in the static config."
		clientPort="$(cfg secureClientPort)"
		clientPortAddress="$(cfg secureClientPortAddress)"
		isSSL=true
		if [ -z "$clientPort" ]; then
			echo "Unable to find either secure or unsecure client port in any configs. Terminating."
			exit 1
		fi
	fi
	clientPortAddress="${clientPortAddress:-localhost}"
}

find_server_line() {
	clientPort=
	myid="$(cat "$ZOO_DATADIR/myid" 2>/dev/null)"
	if ! is_number "$myid"; then
		echo "myid could not be determined, will not able to locate clientPort in the server configs."
		return
	fi
	client="$(client_part "$ZOOCFG")"
	if [ -z "$client" ]; then
		echo "Client port not found in static config file. Looking in dynamic config file."
		dynamic="$(cfg dynamicConfigFile)"
		if [ -n "$dynamic" ]; then
			client="$(client_part "$dynamic")"
		fi
	fi
	if [ -z "$client" ]; then
		echo "Client port not found in the server configs"
		return
	fi
	case "$client" in
	*:*)
		clientPortAddress="${client%:*}"
		clientPortAddress="${clientPortAddress#[}"
		clientPortAddress="${clientPortAddress%]}"
		;;
	esac
	clientPort="${client##*:}"
}

# client_part FILE prints what stands behind the semicolon of this server's line.
client_part() {
	cfg "server\\.$myid" "$1" | sed -n 's/.*;[[:space:]]*//p'
}

is_number() {
	case "$1" in
	'' | *[!0-9]*) return 1 ;;
	esac
}

status() {
	find_client_port
	echo "Client port found: $clientPort. Client address: $clientPortAddress. Client SSL: $isSSL."
	secure=
	if [ $isSSL = true ]; then
		secure=true
	fi
	mode="$("$ZOOID" 4lw "$clientPortAddress" "$clientPort" srvr $secure 2>/dev/null | grep Mode)"
	if [ -z "$mode" ]; then
		if [ -n "$secure" ]; then
			echo "Note: this was a TLS connection to secureClientPort ($clientPort), for which CLIENT_JVMFLAGS must name key and trust store."
		fi
		echo "Error contacting service. It is probably not running."
		exit 1
	fi
	echo "$mode"
}

case "$1" in
start)
	start
	;;
start-foreground)
	mkdir -p "$ZOO_LOG_DIR"
	ZOO_EXEC=exec
	if [ -n "$ZOO_NOEXEC" ]; then
		ZOO_EXEC=
	fi
	server
	;;
print-cmd)
	echo "\"$ZOOID\" server $ZOO_DATADIR_AUTOCREATE -Dzookeeper.log.dir=\"$ZOO_LOG_DIR\" -Dzookeeper.log.file=\"$ZOO_LOG_FILE\" \"$ZOOCFG\" > \"$ZOO_OUT\" 2>&1 < /dev/null"
	;;
stop)
	stop
	;;
version)
	"$ZOOID" version 2>/dev/null
	;;
restart)
	stop
	start
	;;
status)
	status
	;;
*)
	echo "Usage: $0 [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd}" >&2
	;;
esac
