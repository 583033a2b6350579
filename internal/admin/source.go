package admin

// Source is a server, as far as operators may look into it. A word calls only the methods it needs, each at most once, from
// the goroutine of the connection that asked. Unless Serving says true, only Environment is called besides.
type Source interface {
	Serving() bool // false while there is no quorum, before the data is loaded and after it is closed
	Status() Status
	Monitor() Monitor                   // mntr
	Metrics() *Metrics                  // mntr
	Connections() []Connection          // stat, cons
	Config() Config                     // conf
	Dirs() Dirs                         // conf, dirs
	Dump() Dump                         // dump
	WatchSummary() WatchSummary         // wchs
	WatchesBySession() []SessionWatches // wchc
	WatchesByPath() []PathWatches       // wchp
	Digests() []Digest                  // hash, rising zxids
	Environment() []Property            // envi; see Environment
	ResetStats()                        // srst: Metrics.Reset, and a leader's proposal sizes
	ResetConnections()                  // crst: Activity.Reset of every connection
}
