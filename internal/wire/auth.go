package wire

import (
	"github.com/zooid-io/zooid/internal/jute"
	"github.com/zooid-io/zooid/zk"
)

// Auth adds an identity to the connection.
type Auth struct {
	Type       int32 // ignored
	Scheme     string
	SchemeNull bool
	Auth       []byte // nil is null
}

// OpCode is OpAuth.
func (*Auth) OpCode() OpCode { return OpAuth }

// Append appends the record.
func (r *Auth) Append(b []byte) []byte {
	b = jute.AppendInt(b, r.Type)
	b = jute.AppendNullString(b, r.Scheme, r.SchemeNull)
	return jute.AppendBuffer(b, r.Auth)
}

func (r *Auth) decode(d *jute.Decoder) {
	r.Type = d.Int()
	r.Scheme, r.SchemeNull = d.NullString()
	r.Auth = d.Buffer()
}

// Sasl is one step of a SASL login.
type Sasl struct{ Token []byte }

// OpCode is OpSasl.
func (*Sasl) OpCode() OpCode { return OpSasl }

// Append appends the record.
func (r *Sasl) Append(b []byte) []byte { return jute.AppendBuffer(b, r.Token) }

// SaslReply answers a step; a nil token is null.
type SaslReply struct{ Token []byte }

// Append appends the record.
func (r *SaslReply) Append(b []byte) []byte { return jute.AppendBuffer(b, r.Token) }

// Decode reads the record.
func (r *SaslReply) Decode(d *jute.Decoder) { r.Token = d.Buffer() }

// WhoAmI asks for the identities of the connection.
type WhoAmI struct{}

// OpCode is OpWhoAmI.
func (*WhoAmI) OpCode() OpCode { return OpWhoAmI }

// Append appends nothing.
func (*WhoAmI) Append(b []byte) []byte { return b }

// WhoAmIReply lists the identities; ID is what may be shown of each (the user of a digest, not its hash).
type WhoAmIReply struct{ Infos []zk.ID }

// Append appends the record.
func (r *WhoAmIReply) Append(b []byte) []byte {
	b = jute.AppendInt(b, int32(len(r.Infos)))
	for _, i := range r.Infos {
		b = jute.AppendString(jute.AppendString(b, i.Scheme), i.ID)
	}
	return b
}

// Decode reads the record.
func (r *WhoAmIReply) Decode(d *jute.Decoder) {
	n, _ := d.Count(8)
	r.Infos = nil
	for range n {
		r.Infos = append(r.Infos, zk.ID{Scheme: d.String(), ID: d.String()})
	}
}
