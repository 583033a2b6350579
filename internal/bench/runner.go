package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// runner is a run in progress.
type runner struct {
	opt    Options
	value  []byte
	live   map[string]*instance // servers that loops use, by the target's name
	dirs   []string             // data folders made
	p      *progress
	label  string // of the scenario that runs
	report *Report
	failed []string
}

// Run measures everything opt asks for. Work that fails on a target is noted in the report and in the error, and the rest
// goes on; the report is nil only if there was nothing to measure. When ctx ends, so does the run, with what there is.
func Run(ctx context.Context, opt Options) (*Report, error) {
	opt.Targets, opt.Work = slices.Clone(opt.Targets), slices.Clone(opt.Work)
	if err := opt.check(); err != nil {
		return nil, err
	}
	r := &runner{opt: opt, value: newValue(opt.Size), live: map[string]*instance{}, p: startProgress(opt.Progress)}
	r.report = &Report{Environment: environment(), Options: parameters(&opt)}
	for _, t := range opt.Targets {
		r.report.Targets = append(r.report.Targets, TargetInfo{Name: t.Name, Addrs: t.Addrs, Command: t.Command})
	}
	defer r.p.end()
	for _, w := range opt.Work {
		if ctx.Err() != nil {
			break
		}
		if _, ok := loops[w.Kind]; ok {
			r.loop(ctx, w)
		} else {
			r.scene(ctx, w)
		}
	}
	r.cleanUp()
	if err := ctx.Err(); err != nil {
		return r.report, err
	}
	if len(r.failed) > 0 {
		return r.report, errors.New(strings.Join(r.failed, "\n"))
	}
	return r.report, nil
}

// fail notes why there are no figures.
func (r *runner) fail(res *Result, err error) {
	if res.Failed == "" && err != nil {
		res.Failed = err.Error()
		r.failed = append(r.failed, fmt.Sprintf("%s on %s: %v", res.Work, res.Target, err))
	}
}

// up gives a target's server for loops: attached, or launched the first time.
func (r *runner) up(ctx context.Context, t *Target) (in *instance, err error) {
	if in := r.live[t.Name]; in != nil {
		return in, nil
	}
	if t.Command != "" {
		r.p.say("%s: starting", t.Name)
		in, _, err = r.launch(ctx, t, "")
	} else if in, err = attach(ctx, t); err == nil {
		r.noteVersion(in)
	}
	if err != nil {
		return nil, err
	}
	r.live[t.Name] = in
	r.p.say("%s: clearing %s", t.Name, Root)
	return in, in.clear(ctx)
}

// down ends the servers that the bench has started for loops: a scenario wants the machine for its own.
func (r *runner) down() {
	for name, in := range r.live {
		if in.dir != "" {
			r.discard(in)
			delete(r.live, name)
		}
	}
}

// cleanUp ends what was started and removes what was made, also after ctx has ended.
func (r *runner) cleanUp() {
	r.p.say("cleaning up")
	r.down()
	if r.opt.Keep {
		r.report.Kept = r.dirs
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	for name, in := range r.live {
		if err := in.remove(ctx); err != nil {
			r.failed = append(r.failed, fmt.Sprintf("%s: %s was not removed: %v", name, Root, err))
		}
	}
	for _, d := range r.dirs {
		os.RemoveAll(d)
	}
}

// noteVersion puts the version of a server into the report.
func (r *runner) noteVersion(in *instance) {
	i := slices.IndexFunc(r.report.Targets, func(t TargetInfo) bool { return t.Name == in.Name })
	if r.report.Targets[i].Version == "" {
		r.report.Targets[i].Version = version(in.addrs[0])
	}
}

func parameters(o *Options) Parameters {
	return Parameters{
		Size: o.Size, Keys: o.Keys, Rounds: o.Rounds, Duration: o.Duration.String(), Warmup: o.Warmup.String(),
		Members: o.Members, Joined: o.Joined,
		Znodes: o.Znodes, Connections: o.Connections, Watches: o.Watches, Watchers: o.Watchers, SnapCount: o.SnapCount,
		SnapshotWritesPerSecond: o.WriteRate, Config: o.Config,
	}
}
