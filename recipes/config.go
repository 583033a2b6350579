package recipes

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/zooid-io/zooid/client"
	"github.com/zooid-io/zooid/zk"
)

// Codec turns values into the data of a znode and back. encoding/json's Marshal and a call of Unmarshal make one: see JSON.
type Codec[T any] struct {
	Encode func(T) ([]byte, error)
	Decode func([]byte) (T, error)
}

// Setting is a value at one moment.
type Setting[T any] struct {
	Value   T
	Version int32   // of the znode's data; -1 while there is none
	Zxid    zk.Zxid // the txn that set it
	Err     error   // why the newest data could not be decoded; Value and Version are then those before it
}

// Config is a typed value in a znode, kept up to date in this process. Get costs nothing.
type Config[T any] struct {
	c     *client.Client
	path  string
	codec Codec[T]
	cache *Cache
	now   atomic.Pointer[Setting[T]]
}

// NewConfig follows the value at path, which need not exist, and returns when it has read it. It ends with Close or the session.
func NewConfig[T any](ctx context.Context, c *client.Client, path string, codec Codec[T]) (*Config[T], error) {
	v := &Config[T]{c: c, path: path, codec: codec}
	v.now.Store(&Setting[T]{Version: -1})
	var err error
	v.cache, err = NewCache(ctx, c, path, v.heed)
	return v, err
}

// heed is told by the cache before those who wait for a change of it.
func (v *Config[T]) heed(ch Change) {
	switch {
	case ch.After == nil && ch.Before.Path == v.path:
		v.now.Store(&Setting[T]{Version: -1, Zxid: ch.Before.Stat.Mzxid})
	case ch.After != nil && ch.After.Path == v.path:
		s := &Setting[T]{Version: ch.After.Stat.Version, Zxid: ch.After.Stat.Mzxid}
		if s.Value, s.Err = v.codec.Decode(ch.After.Data); s.Err != nil {
			s.Err = fmt.Errorf("%s version %d: %w", v.path, s.Version, s.Err)
			before := v.now.Load()
			s.Value, s.Version, s.Zxid = before.Value, before.Version, before.Zxid
		}
		v.now.Store(s)
	}
}

// Get is the value now.
func (v *Config[T]) Get() Setting[T] { return *v.now.Load() }

// Watch calls tell with the value, and again whenever it has changed, until ctx ends or the session, whose error it gives. A change
// that is followed by another while tell is at work is not told.
func (v *Config[T]) Watch(ctx context.Context, tell func(Setting[T])) error {
	var told *Setting[T]
	for {
		changed := v.cache.Changed()
		if now := v.now.Load(); now != told {
			told = now
			tell(*now)
			continue
		}
		select {
		case <-changed:
		case <-v.cache.Done():
			return v.cache.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Set replaces the value if its version is still the one given: -1 is "there is none". It gives the new version. Errors:
// zk.BadVersion; after zk.ConnectionLoss it may be set.
func (v *Config[T]) Set(ctx context.Context, value T, version int32) (int32, error) {
	data, err := v.codec.Encode(value)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", v.path, err)
	}
	if version >= 0 {
		st, err := v.c.Set(ctx, v.path, data, version)
		return st.Version, err
	}
	parent, _, _ := zk.SplitPath(v.path)
	if err := MakeFolder(ctx, v.c, parent, zk.Persistent); err != nil {
		return 0, err
	}
	_, st, err := v.c.Create(ctx, v.path, data, zk.Persistent)
	if errors.Is(err, zk.NodeExists) {
		err = &zk.Error{Op: "setData", Path: v.path, Code: zk.BadVersion}
	}
	return st.Version, err
}

// Update replaces the value by what change makes of it. change may be called several times, each with a newer value; it should make of
// its own result the same again, for after a lost reply it may be applied to it.
func (v *Config[T]) Update(ctx context.Context, change func(T) (T, error)) error {
	return Insist(ctx, func() error {
		for {
			var old T
			version := int32(-1)
			data, st, err := v.c.Get(ctx, v.path)
			if err == nil {
				version = st.Version
				old, err = v.codec.Decode(data)
			}
			if err != nil && !errors.Is(err, zk.NoNode) {
				return err
			}
			next, err := change(old)
			if err != nil {
				return err
			}
			_, err = v.Set(ctx, next, version)
			if !errors.Is(err, zk.BadVersion) && !errors.Is(err, zk.NoNode) {
				return err
			}
		}
	})
}

// Close ends it. Get goes on giving the last value.
func (v *Config[T]) Close() { v.cache.Close() }
