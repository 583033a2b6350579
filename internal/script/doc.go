// Package script reads and rewrites data-driven test files: cases of steps, each step followed by what it yielded.
//
//	# What the file is about.
//	case sequential-names server=base
//	# A comment on the next step.
//	a create $/n- "" flags=2
//	  ok +1 "$/n-0000000000"
//	a exists $/missing watch
//	  no node (-101)
//	  zooid[some-id]: what the other implementation yields instead
//
// A line that starts with "case" opens a case and may carry settings, name=value. Any other line that is not indented is a
// step. Indented lines below a step are its recorded result, two spaces taken off; those that begin with a word and a
// bracketed id, and a colon, are the result of another implementation for a reason that has that id. The package does not know what a step means.
//
// It is used by tests only. Where to start: Parse, File.String.
package script
