package zk

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ValidatePath applies the rules for a path that is written to (PathUtils.validatePath upstream): absolute, no trailing
// slash but for "/" itself, no empty, "." or ".." component, no control, private-use, surrogate or non-character rune.
// Reads are looked up literally and are not validated.
func ValidatePath(path string) error {
	if path == "" {
		return errors.New("path is empty")
	}
	if path[0] != '/' {
		return fmt.Errorf("path %q must start with /", path)
	}
	if path == "/" {
		return nil
	}
	if path[len(path)-1] == '/' {
		return fmt.Errorf("path %q must not end with /", path)
	}
	start := 1 // first byte of the component being read
	for i := 1; i <= len(path); {
		if i == len(path) || path[i] == '/' {
			switch path[start:i] {
			case "":
				return fmt.Errorf("path %q has an empty component at byte %d", path, start)
			case ".", "..":
				return fmt.Errorf("path %q is relative at byte %d", path, start)
			}
			i++
			start = i
			continue
		}
		if c := path[i]; c < utf8.RuneSelf {
			if c < 0x20 || c == 0x7f {
				return fmt.Errorf("path %q has an invalid character at byte %d", path, i)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(path[i:])
		// Upstream looks at UTF-16 units: everything above U+FFFF is a pair of surrogates there, and so is refused.
		if r <= 0x9f || (r >= 0xd800 && r <= 0xf8ff) || r >= 0xfff0 {
			return fmt.Errorf("path %q has an invalid character at byte %d", path, i)
		}
		i += n
	}
	return nil
}

// SplitPath cuts a path at its last slash into the path of the parent and the name. The parent of "/a" is "/".
// A path without a slash has no parent: ok is false.
func SplitPath(path string) (parent, name string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", "", false
	}
	if i == 0 {
		return "/", path[1:], true
	}
	return path[:i], path[i+1:], true
}

// JoinPath is the path of the child called name below parent.
func JoinPath(parent, name string) string {
	if parent == "/" || parent == "" {
		return "/" + name
	}
	return parent + "/" + name
}
