package shell

// Terminal is where a person types.
type Terminal struct{}

func (t *Terminal) begin(s *Shell)              {}
func (t *Terminal) Write(p []byte) (int, error) { return len(p), nil }
func (t *Terminal) readLine() (string, error)   { return "", nil }
