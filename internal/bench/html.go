package bench

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

//go:embed report.html
var reportHTML string

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"number": number, "ratio": ratio, "join": strings.Join, "gigabytes": func(n int64) string { return fmt.Sprintf("%.1f GB", float64(n)/(1<<30)) },
}).Parse(reportHTML))

// page is what report.html shows.
type page struct {
	*Report
	Ratios []template.HTML
	Works  []pageWork
}

// pageWork is one work: its figures in a table and its plots.
type pageWork struct {
	Name  string
	Rows  []pageRow
	Plots []template.HTML
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
	return reportPage.Execute(w, p)
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
func (r *Report) ratioBars() []template.HTML {
	var plots []template.HTML
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
func compact(plots []template.HTML) (kept []template.HTML) {
	for _, p := range plots {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return kept
}
