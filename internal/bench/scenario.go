package bench

import (
	"context"
	"errors"
)

// scenario is work that is more than a loop: it starts servers, opens thousands of connections, or kills.
type scenario struct {
	meaning string
	exec    bool // only for servers that the bench starts
	run     func(r *runner, ctx context.Context, t *Target, res *Result) error
}

var errNeedsExec = errors.New("needs a server that the bench starts (-exec)")

// scene runs a scenario on every target, one after the other.
func (r *runner) scene(ctx context.Context, w Work) {
	sc := scenarios[w.Kind]
	r.down()
	for i := range r.opt.Targets {
		t := &r.opt.Targets[i]
		res := Result{Work: w.String(), Target: t.Name, Errors: map[string]int64{}}
		err := errNeedsExec
		if !sc.exec || t.Command != "" {
			err = sc.run(r, ctx, t, &res)
		}
		r.fail(&res, err)
		r.report.Results = append(r.report.Results, res)
	}
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
	r.p.say("%s: starting", t.Name)
	if in, _, err = r.launch(ctx, t, ""); err != nil {
		return nil, nil, err
	}
	if err = in.clear(ctx); err != nil {
		r.discard(in)
		return nil, nil, err
	}
	return in, func() { r.discard(in) }, nil
}

func (r *runner) idle(ctx context.Context, t *Target, res *Result) error {
	return errors.New("to come")
}
func (r *runner) znodes(ctx context.Context, t *Target, res *Result) error {
	return errors.New("to come")
}
func (r *runner) connections(ctx context.Context, t *Target, res *Result) error {
	return errors.New("to come")
}
func (r *runner) watches(ctx context.Context, t *Target, res *Result) error {
	return errors.New("to come")
}
func (r *runner) fanout(ctx context.Context, t *Target, res *Result) error {
	return errors.New("to come")
}
func (r *runner) snapshot(ctx context.Context, t *Target, res *Result) error {
	return errors.New("to come")
}
