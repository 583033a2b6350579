package bench

import (
	_ "embed"
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// reportHead is the page up to its body; TITLE stands for its title. The rest is written by hand and not by html/template: a program
// that links that keeps every method of every type, and starts measurably later, whatever it was started for.
//
//go:embed report.html
var reportHead string

// markup is HTML, as against text, which is escaped.
type markup string

// page is what WriteHTML shows.
type page struct {
	*Report
	Ratios []markup
	Works  []pageWork
}

// pageWork is one work: its figures in a table and its plots.
type pageWork struct {
	Name  string
	Rows  []pageRow
	Plots []markup
	Notes []string
}

type pageRow struct {
	Label  string
	Values []string
	Ratios []string
	Spread []string // least and most of the rounds, by target
}

// WriteHTML writes the report as one page that loads nothing: tables, and plots as SVG.
func (r *Report) WriteHTML(w io.Writer) error {
	p := page{Report: r}
	if len(r.Targets) > 1 {
		p.Ratios = r.ratioBars()
	}
	for _, rows := range r.rows() {
		p.Works = append(p.Works, r.pageWork(rows))
	}
	for _, res := range r.Results {
		if res.Failed != "" && !p.has(res.Work) {
			p.Works = append(p.Works, r.pageWork([]row{{work: res.Work}}))
		}
	}
	_, err := io.WriteString(w, p.html())
	return err
}

// html is the whole page.
func (p *page) html() string {
	var b strings.Builder
	put := func(format string, args ...any) { // text is escaped, markup is not
		for i, a := range args {
			if text, ok := a.(string); ok {
				args[i] = html.EscapeString(text)
			}
		}
		fmt.Fprintf(&b, format, args...)
	}
	title := "zooid bench"
	for _, t := range p.Targets {
		title += " · " + t.Name
	}
	b.WriteString(strings.Replace(reportHead, "TITLE", html.EscapeString(title), 1))
	o, e := p.Options, p.Environment
	put("<h1>zooid bench</h1>\n<p class=\"soft\">%s. Figures are medians of %d alternating rounds of %s after %s of warming; "+
		"small print is the range of the rounds.</p>\n", e.Time, o.Rounds, o.Duration, o.Warmup)
	if len(p.Ratios) > 0 {
		put("<div class=\"plots\">%s</div>\n", joined(p.Ratios))
	}
	for _, w := range p.Works {
		put("<h2>%s</h2>\n", w.Name)
		if len(w.Rows) > 0 {
			put("<table><tr><th>figure</th>")
			for _, t := range p.Targets {
				put("<th>%s</th>", t.Name)
			}
			for _, t := range p.Targets[1:] {
				put("<th>%s / %s</th>", t.Name, p.Targets[0].Name)
			}
			put("</tr>\n")
			for _, r := range w.Rows {
				put("<tr><td>%s</td>", r.Label)
				for i, v := range r.Values {
					put("<td>%s", v)
					if r.Spread[i] != "" {
						put("<small>%s</small>", r.Spread[i])
					}
					put("</td>")
				}
				for _, q := range r.Ratios {
					put("<td>%s</td>", q)
				}
				put("</tr>\n")
			}
			put("</table>\n")
		}
		for _, n := range w.Notes {
			put("<p class=\"note\">%s</p>", n)
		}
		put("\n<div class=\"plots\">%s</div>\n", joined(w.Plots))
	}
	put("<h2>Where and with what</h2>\n<dl>\n")
	for _, t := range p.Targets {
		put("<dt>%s</dt><dd>", t.Name)
		if t.Version != "" {
			put("%s<br>", t.Version)
		}
		put("%s%s</dd>\n", strings.Join(t.Addrs, ", "), t.Command)
	}
	item := func(name, text string) { put("<dt>%s</dt><dd>%s</dd>\n", name, text) }
	item("machine", fmt.Sprintf("%s, %d cores, %.1f GB, %s", e.CPU, e.Cores, float64(e.Memory)/(1<<30), e.System))
	item("bench", e.Bench+", "+e.Go)
	item("values", fmt.Sprintf("%d bytes, %d keys", o.Size, o.Keys))
	item("scenarios", fmt.Sprintf("%d znodes, %d connections, %d watches, %d watchers; snapshots with snapCount %d at %v writes per second",
		o.Znodes, o.Connections, o.Watches, o.Watchers, o.SnapCount, o.SnapshotWritesPerSecond))
	if len(o.Config) > 0 {
		item("zoo.cfg", strings.Join(o.Config, ", "))
	}
	item("command", strings.Join(e.Args, " "))
	put("</dl>\n</html>\n")
	return b.String()
}

// joined is one plot behind the other.
func joined(plots []markup) (all markup) {
	for _, p := range plots {
		all += p
	}
	return all
}

func (p *page) has(work string) bool {
	for _, w := range p.Works {
		if w.Name == work {
			return true
		}
	}
	return false
}

func (r *Report) pageWork(rows []row) pageWork {
	w := pageWork{Name: rows[0].work}
	results := make([]*Result, len(r.Targets))
	for t, info := range r.Targets {
		for i := range r.Results {
			if res := &r.Results[i]; res.Work == w.Name && res.Target == info.Name {
				results[t] = res
			}
		}
	}
	for _, row := range rows {
		if row.values == nil {
			continue
		}
		pr := pageRow{Label: row.label()}
		for t, v := range row.values {
			pr.Values = append(pr.Values, number(v))
			pr.Spread = append(pr.Spread, spread(results[t], row.name))
			if t > 0 {
				pr.Ratios = append(pr.Ratios, ratio(v, row.values[0], row.better))
			}
		}
		w.Rows = append(w.Rows, pr)
	}
	var rate, p99, latency []series
	for t, res := range results {
		if res == nil {
			continue
		}
		if res.Failed != "" {
			w.Notes = append(w.Notes, res.Target+" failed: "+res.Failed)
		} else if len(res.Errors) > 0 {
			w.Notes = append(w.Notes, res.Target+", errors: "+strings.Join(res.errorWords(), ", "))
		}
		a, b, c := series{name: res.Target, color: t}, series{name: res.Target, color: t}, series{name: res.Target, color: t}
		for i, in := range res.Timeline {
			x := float64(i) * windowSize.Seconds()
			a.points, b.points = append(a.points, [2]float64{x, in.OpsPerSec}), append(b.points, [2]float64{x, in.P99Ms})
			if in.Snapshot {
				b.marks = append(b.marks, [2]float64{x, x + windowSize.Seconds()})
			}
		}
		for _, pt := range res.Curve {
			c.points = append(c.points, [2]float64{nines(pt.Percent), pt.Ms})
		}
		rate, p99, latency = append(rate, a), append(p99, b), append(latency, c)
	}
	w.Plots = append(w.Plots,
		lines("Throughput, operations per second", "seconds, rounds one after the other", rate, linear, nil),
		lines("Latency by percentile, ms", "percentile", latency, logarithmic, percentTicks),
		lines("99th percentile over time, ms", "seconds, rounds one after the other; shaded while a snapshot is taken", p99, logarithmic, nil))
	w.Plots = compact(w.Plots)
	return w
}

// spread is the range of a figure's rounds, or "" where there was one.
func spread(res *Result, name string) string {
	if res == nil {
		return ""
	}
	for _, f := range res.Figures {
		if f.Name != name || len(f.Rounds) < 2 {
			continue
		}
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, v := range f.Rounds {
			lo, hi = min(lo, v), max(hi, v)
		}
		return number(lo) + " to " + number(hi)
	}
	return ""
}

// nines spreads the percentiles: 0, 90, 99, 99.9 are as far from each other as 0 from 90.
func nines(percent float64) float64 { return -math.Log10(max(1-percent/100, 1e-6)) }

var percentTicks = []tick{
	{nines(0), "0"}, {nines(50), "50"}, {nines(90), "90"}, {nines(99), "99"}, {nines(99.9), "99.9"}, {nines(99.99), "99.99"}, {nines(99.999), "99.999"},
}

// ratioBars are the bars of every figure that has a base, by target: how many times better or worse.
func (r *Report) ratioBars() []markup {
	var plots []markup
	for t := 1; t < len(r.Targets); t++ {
		var bars []bar
		for _, rows := range r.rows() {
			for _, row := range rows {
				if !headline[row.name] {
					continue
				}
				gain := row.values[t] / row.values[0]
				if row.better == less {
					gain = 1 / gain
				}
				if !(gain > 0) || math.IsInf(gain, 0) {
					continue
				}
				bars = append(bars, bar{row.work + ", " + row.label(), gain, number(row.values[t]) + " against " + number(row.values[0])})
			}
		}
		title := fmt.Sprintf("%s against %s: how many times better (right) or worse (left)", r.Targets[t].Name, r.Targets[0].Name)
		plots = append(plots, ratioPlot(title, bars))
	}
	return compact(plots)
}

// headline are the figures that the bars show.
var headline = map[string]bool{
	"throughput": true, "server CPU": true, "p50": true, "p99": true, "exec to serving": true, "idle memory": true,
	"memory per connection": true, "memory per watch": true, "memory": true, "back after kill -9": true, "last notice": true,
	"p99 during snapshot": true, "p99 without snapshot": true, "created": true,
}

// compact drops plots that have nothing to show.
func compact(plots []markup) (kept []markup) {
	for _, p := range plots {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return kept
}
