package config

import (
	"slices"
	"strings"

	"github.com/zooid-io/zooid/internal/java"
)

func featureKeys() []Key {
	return []Key{
		property("extendedTypesEnabled", Flag, "false", Honoured, "TTL nodes").
			put(func(l *loader, v Value) { l.Options.ExtendedTypes = v.Bool }),
		property("emulate353TTLNodes", Flag, "false", Honoured, "TTL nodes as 3.5.3 stored them").
			put(func(l *loader, v Value) { l.Options.Emulate353TTL = v.Bool }),
		property("enforceQuota", Flag, "false", Honoured, "hard quotas refuse writes").
			put(func(l *loader, v Value) { l.Options.EnforceQuota = v.Bool }),
		parserKey("reconfigEnabled", Switch, "false", Honoured, "the operation reconfig").
			put(func(l *loader, v Value) { l.Options.ReconfigEnabled = v.Bool }),
		dProperty("readonlymode.enabled", Flag, "false", Honoured, "a voter that finds no leader answers reads of clients that allow it; alone a server only lets isro into the whitelist").
			put(func(l *loader, v Value) { l.Options.ReadOnlyMode = v.Bool }),
		dProperty("znode.container.checkIntervalMs", GetInt, "60000", Honoured, "ms between two looks for containers and TTL nodes to delete").
			put(func(l *loader, v Value) { l.Options.ContainerCheckInterval = millis(v.Int) }),
		dProperty("znode.container.maxPerMinute", GetInt, "10000", Honoured, "deletions of that kind in a minute, at most").
			put(func(l *loader, v Value) { l.Options.ContainerMaxPerMinute = int(v.Int) }),
		dProperty("znode.container.maxNeverUsedIntervalMs", GetLng, "0", Honoured, "ms after which a container that never had a child goes; 0 is never").
			put(func(l *loader, v Value) { l.Options.ContainerMaxNeverUsed = millis(v.Int) }),
	}
}

func operatingKeys() []Key {
	return []Key{
		property("4lw.commands.whitelist", List, "srvr", Honoured, "four-letter words that are answered; * is all; srvr always is").
			put(func(l *loader, v Value) { l.Options.FourLetterWords = whitelist(v.Text) }),
		property("audit.enable", Flag, "false", Honoured, "the audit log").
			put(func(l *loader, v Value) { l.Options.Audit = v.Bool }),
		property("audit.impl.class", Text, "org.apache.zookeeper.audit.Slf4jAuditLogger", Ignored, "there is one audit log"),
		property("admin.enableServer", Flag, "true", Ignored, later+": the admin server; false is what happens anyway, and no warning").unless(whenTrue(later)),
		property("admin.*", Text, "(see Apache's manual)", Ignored, later+": the admin server"),
		parserKey("metricsProvider.className", Text, defaultMetrics, Ignored, later+": metrics other than mntr's; a class that is not Apache's is refused").
			do(checkMetricsProvider),
		parserKey("metricsProvider.*", Text, "(see Apache's manual)", Ignored, later+": the Prometheus exporter"),
		parserKey("jvm.pause.monitor", Switch, "false", Ignored, "there is no virtual machine to pause"),
		parserKey("jvm.pause.info-threshold.ms", Long, "1000", Ignored, "the same"),
		parserKey("jvm.pause.warn-threshold.ms", Long, "10000", Ignored, "the same"),
		parserKey("jvm.pause.sleep.time.ms", Long, "500", Ignored, "the same"),
		property("pathStats.*", Text, "(see Apache's manual)", Ignored, "statistics by path are not kept"),
		property("messageTracker.Enabled", Flag, "false", Ignored, "messages are not tracked"),
		property("messageTracker.BufferSize", GetInt, "10", Ignored, "the same"),
	}
}

// whitelist reads 4lw.commands.whitelist as Apache's FourLetterCommands does. The words are not checked.
func whitelist(text string) []string {
	var words []string
	for _, w := range java.Split(text, ",") {
		switch w = java.Trim(w); {
		case w == "*":
			return []string{"*"}
		case w != "" && !slices.Contains(words, w):
			words = append(words, w)
		}
	}
	if !slices.Contains(words, "srvr") {
		words = append(words, "srvr")
	}
	return words
}

const (
	defaultMetrics = "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider"
	nullMetrics    = "org.apache.zookeeper.metrics.impl.NullMetricsProvider"
	prometheus     = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"
)

func checkMetricsProvider(l *loader, v Value) error {
	switch v.Text {
	case defaultMetrics, nullMetrics, prometheus:
		return nil
	}
	return &Error{Reason: "metrics provider class was not found"}
}

func threadKeys() []Key {
	const goroutines = "goroutines need no number"
	const noCache = "replies are not cached"
	const netty = "there is one transport"
	return []Key{
		property("serverCnxnFactory", Text, "org.apache.zookeeper.server.NIOServerCnxnFactory", Accepted, "both of Apache's are taken; there is one transport; refused for others").
			do(func(l *loader, v Value) error {
				switch strings.TrimPrefix(v.Text, "org.apache.zookeeper.server.") {
				case "NIOServerCnxnFactory", "NettyServerCnxnFactory":
					return nil
				}
				return &Error{Reason: "Couldn't instantiate " + v.Text, Exit: exitUnexpected}
			}),
		property("nio.numSelectorThreads", GetInt, "(by cores)", Ignored, goroutines),
		property("nio.numWorkerThreads", GetInt, "(by cores)", Ignored, goroutines),
		property("nio.directBufferBytes", GetInt, "65536", Ignored, "buffers are not direct"),
		property("nio.shutdownTimeout", GetLng, "5000", Ignored, goroutines),
		property("netty.advancedFlowControl.enabled", Flag, "false", Ignored, netty).or("advancedFlowControlEnabled"),
		property("netty.server.outstandingHandshake.limit", GetInt, "-1", Ignored, netty),
		property("netty.server.earlyDropSecureConnectionHandshakes", Flag, "false", Ignored, netty),
		property("commitProcessor.numWorkerThreads", GetInt, "(cores)", Ignored, goroutines),
		property("commitProcessor.maxReadBatchSize", GetInt, "-1", Ignored, goroutines),
		property("commitProcessor.maxCommitBatchSize", GetInt, "1", Ignored, goroutines),
		property("commitProcessor.shutdownTimeout", GetLng, "5000", Ignored, goroutines),
		property("intBufferStartingSizeBytes", GetInt, "1024", Ignored, "buffers size themselves"),
		property("maxResponseCacheSize", GetInt, "400", Ignored, noCache),
		property("maxGetChildrenResponseCacheSize", GetInt, "400", Ignored, noCache),
		property("watchManagerName", Text, "org.apache.zookeeper.server.watch.WatchManager", Ignored, "there is one watch manager"),
		property("watcherCleanThreadsNum", GetInt, "2", Ignored, "watches of dead connections go at once"),
		property("watcherCleanThreshold", GetInt, "1000", Ignored, "the same"),
		property("watcherCleanIntervalInSeconds", GetInt, "600", Ignored, "the same"),
		property("maxInProcessingDeadWatchers", GetInt, "-1", Ignored, "the same"),
		property("bitHashCacheSize", GetInt, "10", Ignored, "there is one watch manager"),
	}
}

func scriptKeys() []Key {
	const client = "a client's setting"
	return []Key{
		property("log.dir", Text, "(none)", Accepted, "the start script names it; where logs go is the script's redirection"),
		property("log.file", Text, "(none)", Accepted, "the same"),
		property("log.threshold", Text, "(none)", Accepted, "the logging of Java"),
		property("root.logger", Text, "(none)", Accepted, "the same"),
		property("console.threshold", Text, "(none)", Accepted, "the same"),
		property("jmx.log4j.disable", Flag, "false", Accepted, "there is no JMX"),
		property("jmx.log4j.mbean", Text, "(none)", Accepted, "the same"),
		property("client.secure", Flag, "false", Accepted, client),
		property("clientCnxnSocket", Text, "(none)", Accepted, client),
		property("disableAutoWatchReset", Flag, "false", Accepted, client),
		property("request.timeout", GetInt, "0", Accepted, client),
		property("sasl.client", Flag, "true", Accepted, client),
		property("sasl.client.*", Text, "(none)", Accepted, client),
		property("sasl.clientconfig", Text, "Client", Accepted, client),
	}
}
