package server

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/zab"
	"github.com/zooid-io/zooid/zk"
)

// dynamic keeps the dynamic files of a member: ensemble protocol, section 8.2. One goroutine uses it.
//
// Each file is whole at any moment: it is written beside its place, synced, and then gets its name. The order makes a crash harmless:
// a dynamic file is there before zoo.cfg names it, and what was proposed is forgotten last.
type dynamic struct {
	fs        vfs.FS
	static    string       // zoo.cfg; empty is nowhere to write
	moved     bool         // the members stand in a dynamic file already
	self      ensemble.SID // whose client port may move there with them
	committed zk.Zxid      // of the file that zoo.cfg names
	next      zk.Zxid      // of what NextFileName holds; 0 is nothing
}

// write brings the files up to date.
func (d *dynamic) write(c *zab.Configs) error {
	if d.static == "" {
		return nil
	}
	if seen := c.LastSeen; seen.Version > c.Committed.Version && seen.Version != d.next {
		if err := d.replace(ensemble.NextFileName(d.static), seen.NextFile(), ""); err != nil {
			return err
		}
		d.next = seen.Version
	}
	if c.Committed.Version > d.committed {
		if err := d.activate(c.Committed); err != nil {
			return err
		}
		d.committed = c.Committed.Version
	}
	if d.next != 0 && c.LastSeen.Version <= c.Committed.Version {
		if err := d.fs.Remove(ensemble.NextFileName(d.static)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		d.next = 0
	}
	return nil
}

// activate writes the committed configuration, and makes zoo.cfg name it.
func (d *dynamic) activate(g *ensemble.Config) error {
	text, err := d.read(d.static)
	if err != nil {
		return err
	}
	if !d.moved {
		if err := d.replace(ensemble.BackupFileName(d.static), text, d.static); err != nil {
			return err
		}
	}
	file := ensemble.FileName(d.static, g.Version)
	if err := d.replace(file, g.File(), ""); err != nil {
		return err
	}
	named := file
	if abs, err := filepath.Abs(file); err == nil {
		named = abs
	}
	self, _ := g.Member(d.self)
	if err := d.replace(d.static, ensemble.StaticFile(text, named, self.ClientAddr != "" && !self.FromStatic), d.static); err != nil {
		return err
	}
	d.moved = true
	return nil
}

func (d *dynamic) read(path string) (string, error) {
	f, err := d.fs.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

// replace makes a file of a text, durably. It is readable to whom the file like is; there may be passwords in it.
func (d *dynamic) replace(path, text, like string) error {
	temp := path + ".tmp"
	f, err := d.fs.Create(temp)
	if err != nil {
		return err
	}
	if _, real := d.fs.(vfs.OS); real && like != "" {
		info, e := os.Stat(like)
		if err = e; err == nil {
			err = os.Chmod(temp, info.Mode().Perm())
		}
	}
	if err == nil {
		_, err = io.WriteString(f, text)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.fs.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, d.fs.Remove(temp))
	}
	return d.fs.SyncDir(filepath.Dir(path))
}
