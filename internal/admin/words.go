package admin

import (
	"encoding/binary"
	"strconv"
	"strings"
	"sync/atomic"
)

// words are the commands; telnetClose is one of them to Apache, so that a telnet that closes is told from a bad frame.
var words = map[string]func(*Words, *text, Source){
	"conf": conf, "cons": cons, "crst": crst, "dirs": dirs, "dump": dump, "envi": envi, "gtmk": gtmk, "hash": hash, "isro": isro,
	"mntr": mntr, "ruok": ruok, "srst": srst, "srvr": srvr, "stat": stat, "stmk": nil, "wchc": wchc, "wchp": wchp, "wchs": wchs,
	telnetClose: func(*Words, *text, Source) {},
}

const (
	telnetClose     = "\xff\xf4\xff\xfd" // interrupt process, do timing mark
	telnetCloseName = "telnet close"     // in the whitelist and in the refusal
	notServing      = "This ZooKeeper instance is not currently serving requests"
	traceMask       = 306 // ZooTrace: client requests, server packets, sessions, warnings
)

// unserved are the words that are answered as usual by a server that does not serve.
var unserved = map[string]bool{"ruok": true, "envi": true, "gtmk": true, telnetClose: true}

// Known tells whether the first four bytes of a connection are a command rather than the length of a frame.
func Known(word [4]byte) bool {
	_, ok := words[string(word[:])]
	return ok
}

// Words answers commands. It holds what they may change of themselves: the trace mask, which no server reads.
type Words struct {
	enabled map[string]bool
	mask    atomic.Int64
}

// NewWhitelist makes Words that answer the commands in list (4lw.commands.whitelist, split at its commas), all of them if "*"
// is in it, and srvr in any case; isro too where read-only mode is enabled (readonlymode.enabled). An entry may have spaces
// around it; case matters; unknown entries are ignored.
func NewWhitelist(list []string, readOnlyMode bool) *Words {
	w := &Words{enabled: map[string]bool{"srvr": true}}
	w.mask.Store(traceMask)
	if readOnlyMode {
		w.enabled["isro"] = true
	}
	for _, s := range list {
		switch s = strings.TrimSpace(s); s {
		case "*":
			for word := range words {
				w.enabled[word] = true
			}
		case telnetCloseName:
			w.enabled[telnetClose] = true
		default:
			w.enabled[s] = true
		}
	}
	return w
}

// Enabled tells whether word is executed.
func (w *Words) Enabled(word string) bool {
	_, known := words[word]
	return known && w.enabled[word]
}

// Extra is how many bytes Answer wants besides the word: 8 of stmk, 0 of all others. They came in the same packet or never.
func (w *Words) Extra(word string) int {
	if word == "stmk" && w.Enabled(word) {
		return 8
	}
	return 0
}

// Answer is all that the connection is told before it is closed. Nothing is told of a word that is not Known.
func (w *Words) Answer(word string, extra []byte, src Source) []byte {
	answer, known := words[word]
	if !known {
		return nil
	}
	t := &text{}
	switch {
	case !w.Enabled(word):
		if word == telnetClose {
			word = telnetCloseName
		}
		t.line(word, " is not executed because it is not in the whitelist.")
	case word == "stmk":
		w.setMask(t, extra)
	case !unserved[word] && !src.Serving():
		switch word {
		case "isro":
			t.add("null")
		case "hash":
			t.add(notServing)
		default:
			t.line(notServing)
		}
	default:
		answer(w, t, src)
	}
	return t.b
}

func ruok(_ *Words, t *text, _ Source) { t.add("imok") }

func isro(_ *Words, t *text, src Source) {
	if src.Status().ReadOnly {
		t.add("ro")
	} else {
		t.add("rw")
	}
}

func crst(_ *Words, t *text, src Source) {
	src.ResetConnections()
	t.line("Connection stats reset.")
}

func srst(_ *Words, t *text, src Source) {
	src.ResetStats()
	t.line("Server stats reset.")
}

func dirs(_ *Words, t *text, src Source) {
	d := src.Dirs()
	t.line("datadir_size: ", dec(d.Data))
	t.line("logdir_size: ", dec(d.Log))
}

func envi(_ *Words, t *text, src Source) {
	t.line("Environment:")
	for _, p := range src.Environment() {
		t.line(p.Key, "=", p.Value)
	}
}

func gtmk(w *Words, t *text, _ Source) { t.add(dec(w.mask.Load())) }

// setMask wants the mask as a big-endian long; with fewer bytes the connection is closed without a word.
func (w *Words) setMask(t *text, extra []byte) {
	if len(extra) < 8 {
		return
	}
	w.mask.Store(int64(binary.BigEndian.Uint64(extra)))
	gtmk(w, t, nil)
}

func hash(_ *Words, t *text, src Source) {
	for _, d := range src.Digests() {
		t.line(strconv.FormatUint(uint64(d.Zxid), 16), ": ", dec(d.Digest))
	}
}

// text is an answer in the making.
type text struct{ b []byte }

func (t *text) add(parts ...string) {
	for _, p := range parts {
		t.b = append(t.b, p...)
	}
}

func (t *text) line(parts ...string) {
	t.add(parts...)
	t.b = append(t.b, '\n')
}

func dec[T ~int | ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }
