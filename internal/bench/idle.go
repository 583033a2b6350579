package bench

import (
	"context"
)

// idle starts a server on an empty folder and looks at it while it has nothing to do.
func (r *runner) idle(ctx context.Context, t *Target, fs *figures, res *Result) error {
	r.say("starting on an empty folder")
	in, took, err := r.launch(ctx, t, "")
	if err != nil {
		return err
	}
	defer r.discard(in)
	fs.add("exec to serving", "ms", less, ms(int64(took)))
	r.say("idle")
	if rss, ok := in.settle(ctx); ok {
		fs.add("idle memory", "MB", less, megabytes(rss))
	}
	return ctx.Err()
}
