package ensemble

import (
	"slices"
	"strconv"
	"strings"

	"github.com/zooid-io/zooid/internal/java"
	"github.com/zooid-io/zooid/zk"
)

// The files of ensemble protocol, section 8.2, all beside the static file, zoo.cfg.

// FileName is the dynamic file of one version: zoo.cfg.dynamic.100000000.
func FileName(static string, version zk.Zxid) string {
	return static + ".dynamic." + strconv.FormatUint(uint64(version), 16)
}

// NextFileName is the file of what was proposed and is not committed.
func NextFileName(static string) string { return static + ".dynamic.next" }

// BackupFileName is the static file as it was before its members moved into a dynamic one.
func BackupFileName(static string) string { return static + ".bak" }

// File is the text of a dynamic file: sorted lines without the version, which is in the file's name, and without a final line end.
func (c *Config) File() string {
	lines := c.lines()
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// NextFile is the text of the file NextFileName: the same with the version among the lines.
func (c *Config) NextFile() string {
	lines := append(c.lines(), c.versionLine())
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// StaticFile is the text of zoo.cfg when its members have moved into a dynamic file: without server.*, group*, weight*, peerType and
// the old dynamicConfigFile, without the client port if the server line has it (dropClientPort), and with the new dynamicConfigFile
// at the end. Unlike Apache's it keeps comments, order and the spelling of everything else.
func StaticFile(text, dynamicFile string, dropClientPort bool) string {
	text = java.Without(text, func(key string) bool {
		switch key {
		case "dynamicConfigFile", "peerType":
			return true
		case "clientPort", "clientPortAddress":
			return dropClientPort
		}
		return IsMemberKey(key)
	})
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + "dynamicConfigFile=" + java.Escape(dynamicFile) + "\n"
}
