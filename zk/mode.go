package zk

// Mode is the kind of znode to create: the "flags" of a create request.
type Mode int32

// The modes, by their upstream numbers.
const (
	Persistent              Mode = 0
	Ephemeral               Mode = 1
	PersistentSequential    Mode = 2
	EphemeralSequential     Mode = 3
	Container               Mode = 4
	PersistentTTL           Mode = 5
	PersistentSequentialTTL Mode = 6
)

// Known tells whether m is one of the seven modes.
func (m Mode) Known() bool { return m >= Persistent && m <= PersistentSequentialTTL }

// IsEphemeral tells whether the znode ends with its session.
func (m Mode) IsEphemeral() bool { return m == Ephemeral || m == EphemeralSequential }

// IsSequential tells whether the server appends a number to the name.
func (m Mode) IsSequential() bool {
	return m == PersistentSequential || m == EphemeralSequential || m == PersistentSequentialTTL
}

// IsTTL tells whether the znode has a time to live.
func (m Mode) IsTTL() bool { return m == PersistentTTL || m == PersistentSequentialTTL }

// MaxTTL is the longest time to live, in ms: 40 bits.
const MaxTTL int64 = 0xFFFFFFFFFF
