package bench

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// The plots are SVG, drawn here: a report must open years later, on a machine without a network. Colours are classes of the
// page's style sheet, so that they follow the reader's light or dark theme.

// series is a line of a plot.
type series struct {
	name   string
	color  int // class sN
	points [][2]float64
	marks  [][2]float64 // ranges of x that are shaded
}

// scale is how an axis is divided.
type scale int

const (
	linear scale = iota
	logarithmic
)

// tick is a labelled place on an axis.
type tick struct {
	at   float64
	text string
}

const (
	plotWidth, plotHeight                      = 640, 260
	plotLeft, plotRight, plotTop, plotBottom   = 64, 12, 40, 40
	plotInnerWidth                             = plotWidth - plotLeft - plotRight
	plotInnerHeight                            = plotHeight - plotTop - plotBottom
	barHeight, barLabel, barValue, barPlotEdge = 20, 250, 150, 28
)

// lines draws series over a linear x. It is "" if there are no points. ticks are those of x; nil is "choose".
func lines(title, xTitle string, all []series, y scale, ticks []tick) markup {
	loX, hiX, loY, hiY := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, s := range all {
		for _, p := range s.points {
			if y == logarithmic && p[1] <= 0 {
				continue
			}
			loX, hiX, loY, hiY = min(loX, p[0]), max(hiX, p[0]), min(loY, p[1]), max(hiY, p[1])
		}
	}
	if !(hiX > loX) {
		return ""
	}
	var yTicks []tick
	if y == logarithmic {
		loY, hiY = math.Pow(10, math.Floor(math.Log10(loY))), math.Pow(10, math.Ceil(math.Log10(hiY)))
		if hiY <= loY {
			hiY = loY * 10
		}
		for v := loY; v <= hiY*1.001; v *= 10 {
			yTicks = append(yTicks, tick{v, plain(v)})
		}
	} else {
		loY = 0
		if hiY <= 0 {
			hiY = 1
		}
		yTicks = linearTicks(0, hiY)
		hiY = max(hiY, yTicks[len(yTicks)-1].at)
	}
	if ticks == nil {
		ticks = linearTicks(loX, hiX)
	}
	px := func(v float64) float64 { return plotLeft + (v-loX)/(hiX-loX)*plotInnerWidth }
	py := func(v float64) float64 {
		f := (v - loY) / (hiY - loY)
		if y == logarithmic {
			f = math.Log10(v/loY) / math.Log10(hiY/loY)
		}
		return plotTop + (1-f)*plotInnerHeight
	}
	var b strings.Builder
	open(&b, title, plotWidth, plotHeight)
	for _, s := range all {
		for _, m := range s.marks {
			fmt.Fprintf(&b, `<rect class="mark s%d" x="%.1f" y="%d" width="%.1f" height="%d"/>`, s.color, px(m[0]), plotTop, max(1, px(min(m[1], hiX))-px(m[0])), plotInnerHeight)
		}
	}
	for _, t := range yTicks {
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text class="end" x="%d" y="%.1f">%s</text>`,
			plotLeft, plotWidth-plotRight, py(t.at), py(t.at), plotLeft-6, py(t.at)+4, t.text)
	}
	for _, t := range ticks {
		if t.at >= loX && t.at <= hiX {
			fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/><text class="mid" x="%.1f" y="%d">%s</text>`,
				px(t.at), px(t.at), plotTop, plotHeight-plotBottom, px(t.at), plotHeight-plotBottom+16, t.text)
		}
	}
	fmt.Fprintf(&b, `<text class="mid" x="%d" y="%d">%s</text>`, plotLeft+plotInnerWidth/2, plotHeight-6, html.EscapeString(xTitle))
	x := plotLeft
	for _, s := range all {
		fmt.Fprintf(&b, `<rect class="key s%d" x="%d" y="24" width="10" height="10"/><text x="%d" y="33">%s</text>`, s.color, x, x+14, html.EscapeString(s.name))
		x += 30 + 7*len(s.name)
		fmt.Fprintf(&b, `<polyline class="s%d" points="`, s.color)
		for _, p := range s.points {
			if y == linear || p[1] > 0 {
				fmt.Fprintf(&b, "%.1f,%.1f ", px(p[0]), py(p[1]))
			}
		}
		b.WriteString(`"/>`)
	}
	b.WriteString("</svg>")
	return markup(b.String())
}

// bar is one line of a plot of ratios.
type bar struct {
	label string
	gain  float64 // above 1 is better
	note  string
}

// ratioPlot draws bars on a logarithmic axis from the middle, which is 1: better to the right, worse to the left.
func ratioPlot(title string, bars []bar) markup {
	if len(bars) == 0 {
		return ""
	}
	most := 2.0
	for _, x := range bars {
		most = max(most, x.gain, 1/x.gain)
	}
	width, height := 900, 52+barHeight*len(bars)
	inner := float64(width - barLabel - barValue - 2*barPlotEdge)
	middle := float64(barLabel+barPlotEdge) + inner/2
	at := func(gain float64) float64 { return middle + math.Log(gain)/math.Log(most)*inner/2 }
	var b strings.Builder
	open(&b, title, width, height)
	for _, g := range []float64{1, 2, 5, 10, 20, 50, 100, 1000} {
		for _, v := range []float64{g, 1 / g} {
			if v <= most*1.001 && 1/v <= most*1.001 {
				fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="42" y2="%d"/><text class="mid" x="%.1f" y="38">%s</text>`,
					at(v), at(v), height-6, at(v), plain(max(v, 1/v))+"x")
			}
			if g == 1 {
				break
			}
		}
	}
	for i, x := range bars {
		y := 46 + i*barHeight
		lo, hi, class := middle, at(x.gain), "better"
		if x.gain < 1 {
			lo, hi, class = at(x.gain), middle, "worse"
		}
		fmt.Fprintf(&b, `<text class="end" x="%d" y="%d">%s</text><rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d"/><text x="%d" y="%d">%s</text>`,
			barLabel, y+13, html.EscapeString(x.label), class, lo, y+2, max(1, hi-lo), barHeight-5, width-barValue, y+13, html.EscapeString(x.note))
	}
	b.WriteString("</svg>")
	return markup(b.String())
}

func open(b *strings.Builder, title string, width, height int) {
	t := html.EscapeString(title)
	fmt.Fprintf(b, `<svg viewBox="0 0 %d %d" width="%d" role="img" aria-label="%s"><text class="title" x="0" y="14">%s</text>`, width, height, width, t, t)
}

// linearTicks are round numbers from lo to at least hi, about five.
func linearTicks(lo, hi float64) []tick {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/5)))
	for _, f := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(step*f) <= 6 {
			step *= f
			break
		}
	}
	var ts []tick
	for i := math.Ceil(lo / step); ; i++ {
		ts = append(ts, tick{i * step, plain(i * step)})
		if i*step >= hi {
			return ts
		}
	}
}

// plain writes an axis label: 250k, 0.01.
func plain(v float64) string {
	if a := math.Abs(v); a >= 1e6 {
		return strconv.FormatFloat(v/1e6, 'g', 4, 64) + "M"
	} else if a >= 1e4 {
		return strconv.FormatFloat(v/1e3, 'g', 4, 64) + "k"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
