package interop

import (
	"strings"
	"testing"
)

// Where Debian puts the Java clients and what they need.
var (
	javaClient = []string{
		"/usr/share/java/zookeeper.jar", "/usr/share/java/zookeeper-jute.jar",
		"/usr/share/java/slf4j-api.jar", "/usr/share/java/slf4j-simple.jar",
		"/usr/share/java/netty-buffer.jar", "/usr/share/java/netty-common.jar", "/usr/share/java/netty-handler.jar", "/usr/share/java/netty-transport.jar",
	}
	curator = []string{
		"/usr/share/java/curator-client.jar", "/usr/share/java/curator-framework.jar", "/usr/share/java/curator-recipes.jar",
		"/usr/share/java/guava.jar",
	}
)

// TestJavaClient plays the scenario of org.apache.zookeeper.ZooKeeper.
func TestJavaClient(t *testing.T) {
	t.Parallel()
	playJava(t, "ZooKeeperScenario", javaClient, "apt-get install libzookeeper-java default-jdk-headless")
}

// TestCurator plays the scenario of Curator's framework and recipes.
func TestCurator(t *testing.T) {
	t.Parallel()
	playJava(t, "CuratorScenario", append(curator, javaClient...), "apt-get install libcurator-recipes-java libzookeeper-java default-jdk-headless")
}

func playJava(t *testing.T, class string, jars []string, install string) {
	need(t, onPath("javac") && exists(jars...), class+"'s libraries", install)
	classpath := strings.Join(jars, ":")
	dir := t.TempDir()
	build(t, "javac", "-encoding", "UTF-8", "-J-XX:TieredStopAtLevel=1", "-nowarn", "-cp", classpath, "-d", dir,
		scenario(t, "java", "Stage.java"), scenario(t, "java", class+".java"))
	onEveryServer(t, func(t *testing.T, s *stage) {
		s.program(t, "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
			"-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", dir+":"+classpath, class)
	})
}
