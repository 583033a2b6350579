package bench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteTable writes the figures of every work, a column for each target, and for each target but the first how it compares
// with the first.
func (r *Report) WriteTable(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	head := []string{"work", "figure"}
	for _, t := range r.Targets {
		head = append(head, t.Name)
	}
	for _, t := range r.Targets[1:] {
		head = append(head, t.Name+"/"+r.Targets[0].Name)
	}
	all, left := r.rows(), [2]int{len(head[0]), len(head[1])}
	for _, rows := range all {
		for _, row := range rows {
			left[0] = max(left[0], len([]rune(row.work)))
			left[1] = max(left[1], len([]rune(row.label())))
		}
	}
	pad := func(line []string) { // a tabwriter aligns all columns alike: numbers to the right, so words are padded
		for i, width := range left {
			line[i] += strings.Repeat(" ", width-len([]rune(line[i])))
		}
	}
	pad(head)
	fmt.Fprintln(tw, strings.Join(head, "\t")+"\t")
	for _, rows := range all {
		for i, row := range rows {
			line := []string{"", row.label()}
			if i == 0 {
				line[0] = row.work
			}
			pad(line)
			for _, v := range row.values {
				line = append(line, number(v))
			}
			for _, v := range row.values[1:] {
				line = append(line, ratio(v, row.values[0], row.better))
			}
			fmt.Fprintln(tw, strings.Join(line, "\t")+"\t")
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, res := range r.Results {
		if res.Failed != "" {
			fmt.Fprintf(w, "%s on %s failed: %s\n", res.Work, res.Target, res.Failed)
		} else if len(res.Errors) > 0 {
			fmt.Fprintf(w, "%s on %s: errors: %s\n", res.Work, res.Target, strings.Join(res.errorWords(), ", "))
		}
	}
	for _, dir := range r.Kept {
		fmt.Fprintln(w, "kept", dir)
	}
	return nil
}

// row is one figure of one work, on every target.
type row struct {
	work, name, unit string
	better           sense
	values           []float64 // by target; NaN where there is none
}

func (r row) label() string {
	if r.unit == "" {
		return r.name
	}
	return r.name + " " + r.unit
}

// rows are the figures by work.
func (r *Report) rows() [][]row {
	var works []string
	for _, res := range r.Results {
		if !slices.Contains(works, res.Work) {
			works = append(works, res.Work)
		}
	}
	var all [][]row
	for _, work := range works {
		var rows []row
		for _, res := range r.Results {
			if res.Work != work || res.Failed != "" {
				continue
			}
			at := slices.IndexFunc(r.Targets, func(t TargetInfo) bool { return t.Name == res.Target })
			for _, f := range res.Figures {
				i := slices.IndexFunc(rows, func(r row) bool { return r.name == f.Name })
				if i < 0 {
					i = len(rows)
					rows = append(rows, row{work, f.Name, f.Unit, f.Better, slices.Repeat([]float64{math.NaN()}, len(r.Targets))})
				}
				rows[i].values[at] = f.Value
			}
		}
		if len(rows) > 0 {
			all = append(all, rows)
		}
	}
	return all
}

// number writes a figure with three digits that mean something.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "-"
	case a >= 1000 || v == math.Trunc(v):
		return thousands(int64(math.Round(v)))
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

// ratio says how v compares with base, and whether that is good.
func ratio(v, base float64, better sense) string {
	q := v / base
	if math.IsNaN(q) || math.IsInf(q, 0) {
		return "-"
	}
	word := " better"
	switch {
	case better == neither:
		word = ""
	case q > 0.98 && q < 1.02:
		word = " same"
	case (q > 1) != (better == more):
		word = " worse"
	}
	digits := 2
	if q < 0.1 {
		digits = 3
	}
	return fmt.Sprintf("%.*fx%s", digits, q, word)
}
