package zk

// EventType says what happened to a znode.
type EventType int32

// The event types. A server sends the first four after EventNone; clients make the others.
const (
	EventNone                EventType = -1
	EventNodeCreated         EventType = 1
	EventNodeDeleted         EventType = 2
	EventNodeDataChanged     EventType = 3
	EventNodeChildrenChanged EventType = 4
	EventDataWatchRemoved    EventType = 5
	EventChildWatchRemoved   EventType = 6
	EventPersistentRemoved   EventType = 7
)

// State is the state of a session as an event tells it (Watcher.Event.KeeperState).
type State int32

// The states. A server sends only StateSyncConnected.
const (
	StateUnknown           State = -1
	StateDisconnected      State = 0
	StateNoSyncConnected   State = 1
	StateSyncConnected     State = 3
	StateAuthFailed        State = 4
	StateConnectedReadOnly State = 5
	StateSaslAuthenticated State = 6
	StateClosed            State = 7
	StateExpired           State = -112
)

// Event is what a watch yields.
type Event struct {
	Type  EventType
	State State
	Path  string
	Zxid  Zxid // the txn behind it; -1 where the server does not say
}

// WatcherType selects registrations to remove or to look for.
type WatcherType int32

// The watcher types.
const (
	WatcherChildren            WatcherType = 1
	WatcherData                WatcherType = 2
	WatcherAny                 WatcherType = 3
	WatcherPersistent          WatcherType = 4
	WatcherPersistentRecursive WatcherType = 5
)

// AddWatchMode is the kind of persistent watch to add.
type AddWatchMode int32

// The modes of AddWatch.
const (
	WatchPersistent          AddWatchMode = 0
	WatchPersistentRecursive AddWatchMode = 1
)
