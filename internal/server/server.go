package server

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zooid-io/zooid/internal/admin"
	"github.com/zooid-io/zooid/internal/auth"
	"github.com/zooid-io/zooid/internal/ensemble"
	"github.com/zooid-io/zooid/internal/prep"
	"github.com/zooid-io/zooid/internal/replica"
	"github.com/zooid-io/zooid/internal/session"
	"github.com/zooid-io/zooid/internal/store"
	"github.com/zooid-io/zooid/internal/tree"
	"github.com/zooid-io/zooid/internal/vfs"
	"github.com/zooid-io/zooid/internal/zab"
)

// Server is a server, alone or one of an ensemble: it owns a data folder and serves clients.
type Server struct {
	opt   Options
	log   *slog.Logger
	rules *auth.Rules
	store *store.Store

	mu  sync.RWMutex // around rep and eff
	rep *replica.Replica
	eff replica.Effects

	member *member // nil where the server stands alone

	port       clientPort
	conns      connSet
	metrics    *admin.Metrics
	words      *admin.Words
	tally      tally // guarded by mu
	mismatches int   // of the tree's digests, as compared has last seen; guarded by mu
	started    time.Time
	scribe     *scribe
	auditor    *auditor // nil unless Options.Audit
	bucket     *bucket  // nil unless handshakes are throttled
	gate       *gate    // nil unless requests are

	wakeCommit chan struct{} // capacity 1: there are records to commit
	synced     syncedMark
	turn       turn         // whose turn it is at the log, under mu
	lone       logBatch     // the connection's whose turn it is
	ahead      atomic.Int64 // tests: ms that sessions' time is ahead of the clock (Advance)
	plain      atomic.Bool  // tests: sockets are read and written as on systems without rawSock
	snapping   atomic.Bool
	snapped    sync.WaitGroup // snapshots under way
	diskFailed atomic.Bool    // the last commit failed and is being tried again
	maxStalled int            // txns that wait for a failing disk before no new client is let in
	maxOutbox  int            // bytes that may wait for one client; maxOutbox but for tests

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // commit, apply, tick, purge, and a member's disk and timer
	connWG sync.WaitGroup // of connections, and of who accepts them
	fatal  chan error     // capacity 1
	once   sync.Once
}

// Start restores the data folder, binds the client port and serves. fs is nil for the real file system. The error says what
// is wrong with the folder (*store.DirError and its kin) or the port.
func Start(opt Options, fs vfs.FS) (*Server, error) {
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if fs == nil {
		fs = vfs.OS{}
	}
	if opt.DataLogDir == "" {
		opt.DataLogDir = opt.DataDir
	}
	s := &Server{
		opt: opt, log: opt.Logger, wakeCommit: make(chan struct{}, 1), started: time.Now(), fatal: make(chan error, 1),
		metrics: admin.NewMetrics(), tally: newTally(), words: admin.NewWhitelist(opt.FourLetterWords, false),
	}
	s.scribe = newScribe(s.log)
	s.bucket, s.gate = newBucket(opt.ConnThrottle, opt.localSessions(), time.Since(epoch).Milliseconds()), newGate(s)
	s.maxStalled, s.maxOutbox = maxStalled, maxOutbox
	s.synced.init()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	var err error
	if s.rules, err = auth.New(opt.authConfig()); err != nil {
		s.startFailed()
		return nil, err
	}
	// The port is taken before the folder is read: two servers on one folder are stopped by the clash.
	if opt.ClientAddr != "" {
		if s.port.listener, err = net.Listen("tcp", opt.ClientAddr); err != nil {
			s.startFailed()
			return nil, fmt.Errorf("client port: %w", err)
		}
	}
	if opt.Audit {
		s.auditor = newAuditor(s.scribe)
	}
	if err := s.restore(fs); err != nil {
		s.startFailed()
		return nil, errors.Join(err, s.port.close())
	}
	go debug.FreeOSMemory() // reading a large folder leaves much behind
	s.synced.skip(s.rep.Tree().LastZxid())
	if s.auditor != nil {
		s.auditor.server("serverStart", auditSuccess)
	}
	if s.member != nil {
		if err := s.member.open(); err != nil {
			s.startFailed()
			return nil, errors.Join(err, s.port.close(), s.store.Close())
		}
	} else {
		s.wg.Add(2)
		go s.commitLoop()
		go s.applyLoop()
	}
	s.wg.Add(1)
	go s.tickLoop()
	go paceGC(s.ctx)
	if opt.PurgeInterval > 0 {
		s.wg.Add(1)
		go s.purgeLoop()
	}
	s.serveClients()
	return s, nil
}

func (s *Server) restore(fs vfs.FS) error {
	o := &s.opt
	recent := 0
	if o.Ensemble != nil {
		recent = o.Ensemble.CommitLogCount
	}
	st, err := store.Open(fs, o.DataDir, o.DataLogDir, store.Options{
		Recent:   recent,
		PreAlloc: o.PreAllocSize, ForceSync: o.ForceSync, SnapCount: o.SnapCount, SnapSizeLimit: o.SnapSizeLimit,
		LogSizeLimit: o.LogSizeLimit, Compression: o.SnapshotMethod, TrustEmpty: o.TrustEmptySnapshot,
		AutoCreateDir: o.AutoCreateDataDir, AutoCreateDB: o.AutoCreateDB, Digest: o.Digest, LastZxid: o.SnapshotLastZxid,
		ExtendedTypes: o.ExtendedTypes, MaxRecord: o.maxRecord(), FsyncWarning: o.FsyncWarning, Logger: s.log, Now: time.Now, Rand: chance,
	})
	if err != nil {
		return err
	}
	s.store = st
	seed := seed()
	fresh := func() *tree.Tree {
		return tree.New(tree.Options{Seed: seed, ExtendedTypes: o.ExtendedTypes, Emulate353TTL: o.Emulate353TTL, NoDigest: !o.Digest, Advise: hugePages})
	}
	res, err := s.reread(fresh)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	var core *zab.Core
	if o.Ensemble != nil {
		if s.member, core, err = newMember(s, fs, fresh, res); err != nil {
			return errors.Join(err, st.Close())
		}
	}
	var rules ensemble.Rules
	if o.Ensemble != nil {
		rules.Standalone, rules.MultiAddress = o.Ensemble.StandaloneEnabled, o.Ensemble.MultiAddress
	}
	least, most := o.SessionLimits()
	now := time.Now().UnixMilli()
	s.rep = replica.New(replica.Config{
		Prep: prep.Config{
			Rules: s.rules, ExtendedTypes: o.ExtendedTypes, EnforceQuota: o.EnforceQuota, ReconfigEnabled: o.ReconfigEnabled, EnsembleRules: rules,
			CloseSessionPaths: o.CloseSessionPaths, Digest: o.Digest, MaxTxn: o.maxRecord(),
		},
		Rules: s.rules, Seed: seed, FirstSession: session.FirstID(o.ServerID, now), Tick: o.TickTime.Milliseconds(),
		MinTimeout: int32(least.Milliseconds()), MaxTimeout: int32(most.Milliseconds()),
		ContainerInterval: o.ContainerCheckInterval.Milliseconds(), ContainerRate: o.ContainerMaxPerMinute,
		NeverUsed: o.ContainerMaxNeverUsed.Milliseconds(), Audit: o.Audit, ReadOnly: o.ReadOnlyMode, LocalSessions: o.localSessions(), LocalUpgrade: o.localSessions() && o.Ensemble.LocalSessionsUpgrading,
		LeaderIdle: o.Ensemble != nil && !o.Ensemble.LeaderServes, Zab: core,
	}, res.Tree, res.Sessions, now, s.clock())
	if res.Txns > 0 && s.member == nil {
		s.snapshot() // so that the next start has less to replay; it runs beside the serving
	}
	return nil
}

// Addr is the address of the client port, nil if there is none.
func (s *Server) Addr() net.Addr {
	return s.port.addr()
}

// Fatal yields the error that makes it impossible to go on, if one comes.
func (s *Server) Fatal() <-chan error { return s.fatal }

func (s *Server) fail(err error) {
	s.metrics.Add(admin.UnrecoverableErrors, 1)
	select {
	case s.fatal <- err:
	default:
	}
}

// Close stops taking requests, puts what was taken on disk, and closes every connection. Sessions stay: they go on with the
// next start.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		s.log.Info("Shutting down")
		if s.auditor != nil {
			s.auditor.server("serverStop", auditInvoked)
		}
		err = s.port.close()
		if s.member != nil {
			s.member.leave()
		}
		s.conns.closeAll()
		s.connWG.Wait()
		s.cancel()
		s.synced.wake()
		s.wg.Wait()
		s.snapped.Wait()
		err = errors.Join(err, s.store.Close())
		s.scribe.close()
		s.log.Info("Shutdown complete")
	})
	return err
}

// maxRecord is the longest log record that every reader takes: jute.maxbuffer and its extra, saturated.
func (o *Options) maxRecord() int { return int(min(int64(o.MaxFrame)+int64(o.MaxExtra), 1<<31-1)) }

func (o *Options) authConfig() auth.Config {
	return auth.Config{
		SuperDigest: o.SuperDigest, NoDigest: !o.DigestAuth, DigestAlg: o.DigestAlg, SkipACL: o.SkipACL,
		LetAnySaslUserDoX: o.LetAnySaslUserDoX, X509SuperUser: o.X509SuperUser, SaslSuperUsers: o.SaslSuperUsers,
		EnsembleName: o.EnsembleAuthName, HasEnsemble: o.EnsembleAuthName != "", Enforce: o.EnforceAuth,
	}
}

func seed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return binary.LittleEndian.Uint64(b[:])
}

// chance gives a number in [0, n).
func chance(n int) int {
	if n <= 0 {
		return 0
	}
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0
	}
	return int(v.Int64())
}

// perform puts the sends of a Step into the outboxes and appends to dirty the connections that have something to write. The
// caller holds the lock, and flushes dirty after it lets go.
func (s *Server) perform(dirty []*conn) []*conn {
	now := monotonic()
	for i := range s.eff.Sends {
		send := &s.eff.Sends[i]
		c := send.Conn.Tag.(*conn)
		s.account(c, send, now)
		if isGreeting(send) {
			s.greeted(c, send)
		} else if s.gate != nil && !send.Notice {
			s.gate.answered(c)
		}
		if c.out.add(s.eff.Bytes(send), send.Close, s.maxOutbox) {
			dirty = append(dirty, c)
		}
		if len(dirty) == flushMany { // one change can concern ten thousand: the writing begins on another core
			s.connWG.Add(1)
			go func(some []*conn) {
				defer s.connWG.Done()
				flushClients(some)
			}(slices.Clone(dirty))
			clear(dirty)
			dirty = dirty[:0]
		}
	}
	s.tally.settle(s.metrics)
	for range s.eff.Expired {
		s.metrics.Add(admin.SessionsExpired, 1)
	}
	for _, rc := range s.eff.Behind {
		s.connWG.Add(1)
		go rc.Tag.(*conn).catchUp()
	}
	s.chronicle()
	s.compared()
	s.audit()
	s.eff.Reset()
	if s.member != nil {
		s.member.carryOut()
	}
	if len(s.eff.Log) > 0 && s.turn != connections {
		s.rouseCommit()
	}
	return dirty
}

// maxStalled is the usual Server.maxStalled.
const maxStalled = 1 << 14

// flushMany is how many connections are written to by one goroutine.
const flushMany = 128

// flush writes what perform has put aside, and forgets it. Who calls perform has to call it, too, once it holds no lock.
func (s *Server) flush(dirty []*conn) {
	if s.member != nil {
		s.member.links.Flush() // first: peers do more about it than clients
		s.member.disk.rouse()
	}
	flushClients(dirty)
}

// flushClients is flush without the peers and the disk.
func flushClients(dirty []*conn) {
	for _, c := range dirty {
		c.flush()
	}
	clear(dirty)
}
