package ensemble

import "errors"

// How many members of a kind there must be. The texts are Apache's.
var (
	ErrNobody         = errors.New("standaloneEnabled = false then number of participants should be >0")
	ErrOnlyObservers  = errors.New("Observers w/o participants is an invalid configuration")
	ErrObserversOfOne = errors.New("Observers w/o quorum is an invalid configuration")
)

// CheckCounts tells whether these participants and observers can be together: ErrNobody, ErrOnlyObservers, ErrObserversOfOne or
// nil. With standalone, standaloneEnabled, a participant alone is no ensemble. Nobody at all is none either, and no error then.
func (c *Config) CheckCounts(standalone bool) error {
	participants, observers := c.Count()
	switch {
	case participants == 0 && !standalone:
		return ErrNobody
	case participants == 0 && observers > 0:
		return ErrOnlyObservers
	case participants == 1 && standalone && observers > 0:
		return ErrObserversOfOne
	}
	return nil
}

// Count gives the number of participants and of observers.
func (c *Config) Count() (participants, observers int) {
	for i := range c.Members {
		if c.Members[i].Observer {
			observers++
		} else {
			participants++
		}
	}
	return participants, observers
}
