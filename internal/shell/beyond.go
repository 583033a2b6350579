package shell

// beyond are the commands that zkCli does not have.
func beyond() []*command { return nil }
