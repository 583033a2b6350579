package bench

import (
	"context"
	"errors"
	"fmt"
)

// scenario is work that is more than a loop: it starts servers, opens thousands of connections, or kills.
type scenario struct {
	meaning string
	exec    bool // only for servers that the bench starts
	members bool // only for ensembles
	repeat  bool // as many rounds as a loop has; the others take long, and are done once
	run     func(r *runner, ctx context.Context, t *Target, fs *figures, res *Result) error
}

var (
	errNeedsExec    = errors.New("needs a server that the bench starts (-exec)")
	errNeedsMembers = errors.New("needs an ensemble (-members 3)")
)

// scene runs a scenario on every target, A B A B.
func (r *runner) scene(ctx context.Context, w Work) {
	sc := scenarios[w.Kind]
	r.down()
	results := make([]Result, len(r.opt.Targets))
	rounds := 1
	if sc.repeat {
		rounds = w.Rounds
	}
	for range rounds {
		for i := range r.opt.Targets {
			t, res := &r.opt.Targets[i], &results[i]
			res.Work, res.Target = w.String(), t.Name
			if res.Failed != "" || ctx.Err() != nil {
				continue
			}
			if sc.exec && t.Command == "" {
				r.fail(res, errNeedsExec)
				continue
			}
			if sc.members && r.opt.Members < 3 {
				r.fail(res, errNeedsMembers)
				continue
			}
			r.label = fmt.Sprintf("%s %s", w, t.Name)
			r.fail(res, sc.run(r, ctx, t, (*figures)(&res.Figures), res))
		}
	}
	r.report.Results = append(r.report.Results, results...)
}

// say tells what a scenario is about to do.
func (r *runner) say(format string, args ...any) {
	r.p.say("%s: %s", r.label, fmt.Sprintf(format, args...))
}

// stage gives a server for one scenario: launched on an empty folder, or the attached one with an empty subtree. leave ends
// the scenario's use of it.
func (r *runner) stage(ctx context.Context, t *Target) (in *instance, leave func(), err error) {
	if t.Command == "" {
		if in, err = r.up(ctx, t); err != nil {
			return nil, nil, err
		}
		return in, func() {}, in.clear(ctx)
	}
	r.say("starting")
	if in, _, err = r.launch(ctx, t, ""); err != nil {
		return nil, nil, err
	}
	if err = in.clear(ctx); err != nil {
		r.discard(in)
		return nil, nil, err
	}
	return in, func() { r.discard(in) }, nil
}

// megabytes of a number of bytes.
func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
