package shell

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/zooid-io/zooid/zk"
)

// show prints what a read gave: as JSON or as a table where that is asked for, else as text does. A table is made of a slice of
// structs; other values have none.
func (s *Shell) show(v any, text func(w writer)) error {
	switch {
	case s.opt.JSON:
		e := json.NewEncoder(s.out)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	case s.opt.Table && reflect.TypeOf(v).Kind() == reflect.Slice && reflect.TypeOf(v).Elem().Kind() == reflect.Struct:
		return s.showTable(reflect.ValueOf(v))
	}
	var b bytes.Buffer // one write, so that no event stands in the middle
	text(&b)
	_, err := s.out.Write(b.Bytes())
	return err
}

func (s *Shell) showTable(rows reflect.Value) error {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	t := rows.Type().Elem()
	var heads []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		heads = append(heads, strings.ToUpper(name))
	}
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for i := range rows.Len() {
		var cells []string
		for j := range t.NumField() {
			f := rows.Index(i).Field(j)
			if f.Kind() == reflect.Pointer && !f.IsNil() {
				f = f.Elem()
			}
			cells = append(cells, strings.ReplaceAll(fmt.Sprint(f.Interface()), "\t", " "))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	w.Flush()
	_, err := s.out.Write(b.Bytes())
	return err
}

// stat is a Stat in JSON, with the names that zkCli prints.
type stat struct {
	Czxid          string `json:"cZxid"`
	Ctime          string `json:"ctime"`
	Mzxid          string `json:"mZxid"`
	Mtime          string `json:"mtime"`
	Pzxid          string `json:"pZxid"`
	CVersion       int32  `json:"cversion"`
	Version        int32  `json:"dataVersion"`
	AVersion       int32  `json:"aclVersion"`
	EphemeralOwner string `json:"ephemeralOwner"`
	DataLength     int32  `json:"dataLength"`
	NumChildren    int32  `json:"numChildren"`
}

func statOf(st zk.Stat) stat {
	at := func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00") }
	return stat{st.Czxid.String(), at(st.Ctime), st.Mzxid.String(), at(st.Mtime), st.Pzxid.String(), st.CVersion, st.Version,
		st.AVersion, st.EphemeralOwner.String(), st.DataLength, st.NumChildren}
}

// javaDate is java.util.Date's text, in the local zone.
func javaDate(ms int64) string { return time.UnixMilli(ms).Format("Mon Jan 02 15:04:05 MST 2006") }

func writeStat(w writer, st zk.Stat) {
	fmt.Fprintf(w, "cZxid = %v\nctime = %s\nmZxid = %v\nmtime = %s\npZxid = %v\n", st.Czxid, javaDate(st.Ctime), st.Mzxid, javaDate(st.Mtime), st.Pzxid)
	fmt.Fprintf(w, "cversion = %d\ndataVersion = %d\naclVersion = %d\nephemeralOwner = %v\n", st.CVersion, st.Version, st.AVersion, st.EphemeralOwner)
	fmt.Fprintf(w, "dataLength = %d\nnumChildren = %d\n", st.DataLength, st.NumChildren)
}

func (s *Shell) printStat(st zk.Stat) error {
	return s.show(statOf(st), func(w writer) { writeStat(w, st) })
}

// isText tells whether data can be put on a terminal without harm.
func isText(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	for _, r := range string(data) {
		if r != '\n' && r != '\t' && r != '\r' && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// value is data as it is printed: text as it is; null for none; and where a person looks, what is no text as a hex dump.
func (s *Shell) value(data []byte) string {
	switch {
	case data == nil:
		return "null"
	case s.opt.Terminal != nil && !isText(data):
		return hexDump(data)
	}
	return string(data)
}

// indented is JSON on several lines; what is no JSON stays as it is.
func indented(data []byte) []byte {
	var b bytes.Buffer
	if json.Indent(&b, data, "", "  ") != nil {
		return data
	}
	return b.Bytes()
}

// hexDump is the form of zkCli 3.9, which is netty's: sixteen bytes in a line, with a frame.
func hexDump(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("         +-------------------------------------------------+\n" +
		"         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n" +
		"+--------+-------------------------------------------------+----------------+\n")
	for i := 0; i < len(data); i += 16 {
		row := data[i:min(i+16, len(data))]
		fmt.Fprintf(&b, "|%08x|", i)
		for _, c := range row {
			b.WriteString(" " + hex.EncodeToString([]byte{c}))
		}
		b.WriteString(strings.Repeat("   ", 16-len(row)) + " |")
		for _, c := range row {
			if c <= 0x1f || c >= 0x7f {
				c = '.'
			}
			b.WriteByte(c)
		}
		b.WriteString(strings.Repeat(" ", 16-len(row)) + "|\n")
	}
	b.WriteString("+--------+-------------------------------------------------+----------------+")
	return b.String()
}

// datum is data in JSON: text where it is that, else base64.
type datum struct {
	Data   *string `json:"data"`
	Base64 []byte  `json:"base64,omitempty"`
}

func datumOf(data []byte) datum {
	switch {
	case data == nil:
		return datum{}
	case utf8.Valid(data):
		t := string(data)
		return datum{Data: &t}
	}
	return datum{Base64: data}
}

func (d datum) bytes() []byte {
	if d.Data != nil {
		return []byte(*d.Data)
	}
	return d.Base64
}
