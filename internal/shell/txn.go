package shell

// openTxn tells whether text begins a transaction whose closing brace has not come yet.
func openTxn(text string) bool { return false }
