// The scenario of node-zookeeper-client: all its calls, its one-shot watches, and what is left of a session when a connection or
// the server is lost.
//
// Arguments and output are those of every scenario: the proxied address, the direct one; DO, OK, FAIL and PASS lines.
'use strict';

const path = require('path');
const readline = require('readline');
const util = require('util');

const zookeeper = require(path.join(process.env.ZOOID_NODE_MODULES, 'node-zookeeper-client'));
const { ACL, CreateMode, Event, Exception, Id, Permission, State } = zookeeper;

const PATIENCE_MS = 60000;
const [proxied, direct] = process.argv.slice(-2);
let checks = 0;

function ok(what, holds, ...got) {
  if (!holds) {
    throw new Error(`${what}: got ${util.inspect(got)}`);
  }
  checks++;
  console.log(`OK ${what}`);
}

function same(what, want, got) {
  ok(what, util.isDeepStrictEqual(want, got), got, 'want', want);
}

async function fails(what, code, call) {
  try {
    const got = await call;
    ok(what, false, got);
  } catch (e) {
    ok(what, e.getCode && e.getCode() === code, e);
  }
}

/** What was told, in order; next waits for it. */
class Events {
  constructor() {
    this.all = [];
    this.waiting = null;
  }

  put(event) {
    this.all.push(event);
    if (this.waiting) {
      this.waiting();
      this.waiting = null;
    }
  }

  async next() {
    if (this.all.length === 0) {
      await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no event came')), PATIENCE_MS);
        this.waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.all.shift();
  }

  async until(want) {
    while (await this.next() !== want) {
      // what came before is dropped
    }
  }

  quiet() {
    return this.all.length === 0;
  }
}

const answers = new Events();
readline.createInterface({ input: process.stdin }).on('line', (line) => answers.put(line));

/** Asks the Go test for something and waits until it is done. */
async function act(word) {
  console.log(`DO ${word}`);
  const answer = await answers.next();
  if (answer !== `DONE ${word}`) {
    throw new Error(`${word} was answered with ${answer}`);
  }
}

/** A client whose calls are promises, and the states it went through. */
class Session {
  constructor(where, options) {
    this.zk = zookeeper.createClient(where, { sessionTimeout: 30000, spinDelay: 50, retries: 0, ...options });
    this.states = new Events();
    this.zk.on('state', (state) => this.states.put(state));
    this.zk.connect();
  }

  static async open(where, options) {
    const session = new Session(where, options);
    await session.states.until(State.SYNC_CONNECTED);
    return session;
  }

  /** Calls a method of the client; calls that give two values give them as an array. */
  call(method, ...args) {
    return new Promise((resolve, reject) => {
      this.zk[method](...args, (error, ...values) => (error ? reject(error) : resolve(values.length > 1 ? values : values[0])));
    });
  }

  id() {
    return this.zk.getSessionId().toString('hex');
  }

  create(where, data, mode = CreateMode.PERSISTENT) {
    return this.call('create', where, data === undefined ? null : Buffer.from(data), ACL.OPEN_ACL_UNSAFE, mode);
  }

  set(where, data, version = -1) {
    return this.call('setData', where, Buffer.from(data), version);
  }

  async get(where) {
    return (await this.call('getData', where))[0].toString();
  }

  exists(where) {
    return this.call('exists', where);
  }

  async watch(method, where) {
    const events = new Events();
    await this.call(method, where, (event) => events.put(event));
    return events;
  }

  close() {
    this.zk.close();
  }
}

async function fired(what, events, type, where) {
  const event = await events.next();
  same(what, [type, where], [event.getType(), event.getPath()]);
}

let a;
let b;

async function modes() {
  ok('session', a.id() !== '0000000000000000' && a.id() !== b.id(), a.id());
  same('password length', 16, a.zk.getSessionPassword().length);
  same('timeout', 30000, a.zk.getSessionTimeout());
  same('state', State.SYNC_CONNECTED, a.zk.getState());
  same('persistent', '/node', await a.create('/node', 'root'));
  await a.create('/node/modes');
  same('sequential', '/node/modes/s-0000000000', await a.create('/node/modes/s-', 's', CreateMode.PERSISTENT_SEQUENTIAL));
  same('ephemeral', '/node/modes/e', await a.create('/node/modes/e', 'e', CreateMode.EPHEMERAL));
  const stat = await b.exists('/node/modes/e');
  same('ephemeral owner', a.id(), stat.ephemeralOwner.toString('hex'));
  same('ephemeral sequential', '/node/modes/es-0000000002', await a.create('/node/modes/es-', 'e', CreateMode.EPHEMERAL_SEQUENTIAL));
  const parent = await a.exists('/node/modes');
  ok('parent counts', parent.numChildren === 3 && parent.cversion === 3 && parent.version === 0, parent);
  same('parents made on the way', '/node/made/deep', await a.call('mkdirp', '/node/made/deep', Buffer.from('m')));
  await fails('exists already', Exception.NODE_EXISTS, a.create('/node'));
  await fails('no parent', Exception.NO_NODE, a.create('/node/none/x'));
  await fails('child of an ephemeral', Exception.NO_CHILDREN_FOR_EPHEMERALS, a.create('/node/modes/e/x'));
  await fails('unknown scheme', Exception.INVALID_ACL, a.call('create', '/node/x', [new ACL(Permission.ALL, new Id('nosuch', 'x'))]));
}

async function data() {
  await a.create('/node/data', 'one');
  const [value, first] = await a.call('getData', '/node/data');
  same('get', 'one', value.toString());
  const second = await a.set('/node/data', 'two', 0);
  ok('set', second.version === 1 && Buffer.compare(second.mzxid, first.mzxid) > 0 && second.czxid.equals(first.czxid), second);
  await fails('set with an old version', Exception.BAD_VERSION, a.set('/node/data', 'x', 0));
  await fails('set of nothing', Exception.NO_NODE, a.set('/node/none', 'x'));
  await fails('get of nothing', Exception.NO_NODE, a.get('/node/none'));
  const big = Buffer.alloc(960000, 'z');
  await a.call('setData', '/node/data', big, -1);
  ok('another session reads 960000 bytes', big.equals((await b.call('getData', '/node/data'))[0]));
  await a.set('/node/data', '');
  same('empty', 0, (await a.call('getData', '/node/data'))[0].length);
  await a.call('create', '/node/null', null);
  same('null', undefined, (await a.call('getData', '/node/null'))[0]);
  same('exists of nothing', null, await a.exists('/node/none'));
  await fails('delete with an old version', Exception.BAD_VERSION, a.call('remove', '/node/data', 1));
  await a.call('remove', '/node/data', 3);
  await fails('delete of nothing', Exception.NO_NODE, a.call('remove', '/node/data', -1));
  await fails('delete of a parent', Exception.NOT_EMPTY, a.call('remove', '/node', -1));
  await a.create('/node/ünïcode-日本', 'ö');
  same('a path beyond ASCII', 'ö', await b.get('/node/ünïcode-日本'));
  const inner = await Session.open(`${direct}/node`);
  same('under a chroot', '/in', await inner.create('/in', 'in'));
  same('seen from outside', 'in', await a.get('/node/in'));
  inner.close();
}

async function children() {
  await a.create('/node/kids');
  same('no children', [], (await a.call('getChildren', '/node/kids'))[0]);
  await Promise.all(['c', 'a', 'b'].map((name) => a.create(`/node/kids/${name}`)));
  const [names, stat] = await a.call('getChildren', '/node/kids');
  same('children', ['a', 'b', 'c'], names.sort());
  ok('their number', stat.numChildren === 3 && stat.cversion === 3, stat);
  // One level: with the async library that npm gives it, this client does not go deeper.
  same('a subtree', ['/node/kids', '/node/kids/a', '/node/kids/b', '/node/kids/c'], (await a.call('listSubTreeBFS', '/node/kids')).sort());
  await a.call('removeRecursive', '/node/kids', -1);
  same('delete with children', null, await b.exists('/node/kids'));
  await fails('children of nothing', Exception.NO_NODE, a.call('getChildren', '/node/kids'));
}

async function acls() {
  a.zk.addAuthInfo('digest', Buffer.from('ann:secret'));
  await a.call('create', '/node/private', Buffer.from('p'), ACL.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
  const [acl, stat] = await a.call('getACL', '/node/private');
  ok('auth becomes the digest', acl.length === 1 && acl[0].id.scheme === 'digest' && acl[0].id.id.startsWith('ann:')
    && acl[0].permission === Permission.ALL && stat.aversion === 0, acl, stat);
  await fails('a stranger reads', Exception.NO_AUTH, b.get('/node/private'));
  await fails('a stranger writes', Exception.NO_AUTH, b.set('/node/private', 'x'));
  await fails('a stranger creates', Exception.NO_AUTH, b.create('/node/private/x'));
  await fails('a stranger asks for the acl', Exception.NO_AUTH, b.call('getACL', '/node/private'));
  await fails('a stranger sets the acl', Exception.NO_AUTH, b.call('setACL', '/node/private', ACL.OPEN_ACL_UNSAFE, -1));
  await fails('auth without an identity', Exception.INVALID_ACL, b.call('create', '/node/x', ACL.CREATOR_ALL_ACL));
  const readable = [new ACL(Permission.READ, Id.ANYONE_ID_UNSAFE), acl[0]];
  const after = await a.call('setACL', '/node/private', readable, 0);
  ok('set acl', after.aversion === 1 && after.version === 0, after);
  await fails('set acl with an old version', Exception.BAD_VERSION, a.call('setACL', '/node/private', readable, 0));
  same('a stranger reads now', 'p', await b.get('/node/private'));
  same('a reader sees no hash', 'ann:x', (await b.call('getACL', '/node/private'))[0][1].id.id);
  await fails('a reader writes', Exception.NO_AUTH, b.set('/node/private', 'x'));
}

async function transactions() {
  const commit = (t) => new Promise((resolve) => t.commit((error, results) => resolve([error, results])));
  let [error, results] = await commit(a.zk.transaction()
    .create('/node/tx', Buffer.from('t'))
    .create('/node/tx/s-', Buffer.from('s'), CreateMode.PERSISTENT_SEQUENTIAL)
    .create('/node/tx/e', CreateMode.EPHEMERAL)
    .check('/node/tx')
    .setData('/node/tx', Buffer.from('u'))
    .remove('/node/tx/e'));
  ok('transaction', !error && results.length === 6 && results[1].path === '/node/tx/s-0000000000' && results[4].stat.version === 1, error, results);
  const made = await a.exists('/node/tx/s-0000000000');
  ok('one zxid for all', made.czxid.equals(results[4].stat.mzxid), made, results);
  [error, results] = await commit(a.zk.transaction().create('/node/tx/x').check('/node/tx', 7).remove('/node/tx'));
  ok('a transaction that fails', error && error.getCode() === Exception.BAD_VERSION, error);
  same('an error for each', [0, Exception.BAD_VERSION, -2], results.map((r) => r.err));
  same('nothing happened', null, await a.exists('/node/tx/x'));
}

async function watches() {
  await a.create('/node/w');
  const born = await a.watch('exists', '/node/w/x');
  let kids = await a.watch('getChildren', '/node/w');
  await b.create('/node/w/x', '0');
  await fired('exists watch: created', born, Event.NODE_CREATED, '/node/w/x');
  await fired('child watch: created', kids, Event.NODE_CHILDREN_CHANGED, '/node/w');
  const changed = await a.watch('getData', '/node/w/x');
  await b.set('/node/w/x', '1');
  await b.set('/node/w/x', '2');
  await fired('data watch: changed', changed, Event.NODE_DATA_CHANGED, '/node/w/x');
  const gone = await a.watch('getData', '/node/w/x');
  const empty = await a.watch('getChildren', '/node/w/x');
  kids = await a.watch('getChildren', '/node/w');
  await b.call('setACL', '/node/w/x', ACL.OPEN_ACL_UNSAFE, -1);
  await b.set('/node/w', 'quiet');
  await b.call('remove', '/node/w/x', -1);
  await fired('data watch: deleted', gone, Event.NODE_DELETED, '/node/w/x');
  await fired('child watch: deleted itself', empty, Event.NODE_DELETED, '/node/w/x');
  await fired('child watch: deleted child', kids, Event.NODE_CHILDREN_CHANGED, '/node/w');
  ok('one shot is one', changed.quiet() && born.quiet() && gone.quiet());
}

async function connectionLost() {
  const id = a.id();
  await act('drop');
  await a.states.until(State.DISCONNECTED);
  await a.states.until(State.SYNC_CONNECTED);
  same('same session after a drop', id, a.id());

  await a.create('/node/away');
  for (const name of ['data', 'kids', 'gone', 'still', 'kept']) {
    await a.create(`/node/away/${name}`, '');
  }
  await a.create('/node/away/mine', '', CreateMode.EPHEMERAL);
  const changed = await a.watch('getData', '/node/away/data');
  const kids = await a.watch('getChildren', '/node/away/kids');
  const gone = await a.watch('exists', '/node/away/gone');
  const born = await a.watch('exists', '/node/away/born');
  const unborn = await a.watch('exists', '/node/away/unborn');
  const still = await a.watch('getData', '/node/away/still');
  const kept = await a.watch('getChildren', '/node/away/kept');
  await act('cut');
  await a.states.until(State.DISCONNECTED);
  await b.set('/node/away/data', 'new');
  await b.create('/node/away/kids/k');
  await b.call('remove', '/node/away/gone', -1);
  await b.create('/node/away/born');
  same('ephemeral is there while away', id, (await b.exists('/node/away/mine')).ephemeralOwner.toString('hex'));
  await act('mend');
  await a.states.until(State.SYNC_CONNECTED);
  same('same session after a cut', id, a.id());
  await fired('caught up: changed', changed, Event.NODE_DATA_CHANGED, '/node/away/data');
  await fired('caught up: child', kids, Event.NODE_CHILDREN_CHANGED, '/node/away/kids');
  await fired('caught up: deleted', gone, Event.NODE_DELETED, '/node/away/gone');
  await fired('caught up: created', born, Event.NODE_CREATED, '/node/away/born');
  await a.exists('/');
  ok('what did not change is quiet', still.quiet() && kept.quiet() && unborn.quiet());
  await b.set('/node/away/still', 'new');
  await b.create('/node/away/kept/k');
  await b.create('/node/away/unborn');
  await fired('re-armed: changed', still, Event.NODE_DATA_CHANGED, '/node/away/still');
  await fired('re-armed: child', kept, Event.NODE_CHILDREN_CHANGED, '/node/away/kept');
  await fired('re-armed: created', unborn, Event.NODE_CREATED, '/node/away/unborn');
  ok('the identity came back', await a.set('/node/private', 'p'));
}

async function serverLost(how) {
  const root = `/node/${how}`;
  await a.create(root, '1');
  await a.create(`${root}/e`, '', CreateMode.EPHEMERAL);
  await a.create(`${root}/s-`, '', CreateMode.PERSISTENT_SEQUENTIAL);
  await a.set(root, '2');
  const changed = await a.watch('getData', root);
  const kids = await a.watch('getChildren', root);
  const born = await a.watch('exists', `${root}/born`);
  const other = await b.watch('getData', root);
  const before = (await a.call('getData', root))[1];
  const ids = [a.id(), b.id()];
  await act(how);
  await Promise.all([a, b].map((s) => s.states.until(State.DISCONNECTED)));
  await act('start');
  await Promise.all([a, b].map((s) => s.states.until(State.SYNC_CONNECTED)));
  same(`${how}: same sessions`, ids, [a.id(), b.id()]);
  const [value, after] = await a.call('getData', root);
  same(`${how}: same data`, '2', value.toString());
  same(`${how}: same stat`, before, after);
  same(`${how}: ephemeral is there`, ids[0], (await b.exists(`${root}/e`)).ephemeralOwner.toString('hex'));
  ok(`${how}: no event of its own`, changed.quiet() && kids.quiet() && born.quiet());
  await b.set(root, '3');
  await fired(`${how}: data watch`, changed, Event.NODE_DATA_CHANGED, root);
  await fired(`${how}: data watch of the other`, other, Event.NODE_DATA_CHANGED, root);
  same(`${how}: the sequence goes on`, `${root}/s-0000000002`, await b.create(`${root}/s-`, '', CreateMode.PERSISTENT_SEQUENTIAL));
  await fired(`${how}: child watch`, kids, Event.NODE_CHILDREN_CHANGED, root);
  await b.create(`${root}/born`);
  await fired(`${how}: exists watch`, born, Event.NODE_CREATED, `${root}/born`);
  ok(`${how}: the identity came back`, await a.set('/node/private', 'p'));
}

/** Another client goes on with a session whose id and password it knows; with a wrong password it may not. */
async function takeover() {
  const first = await Session.open(proxied);
  const id = { sessionId: first.zk.getSessionId(), sessionPassword: first.zk.getSessionPassword() };
  await first.create('/node/taken', '', CreateMode.EPHEMERAL);
  await act('cut');
  await first.states.until(State.DISCONNECTED);
  const thief = new Session(direct, { ...id, sessionPassword: Buffer.alloc(16) });
  await thief.states.until(State.EXPIRED);
  ok('a wrong password resumes nothing', await b.exists('/node/taken'));
  const second = await Session.open(direct, id);
  same('a session goes on elsewhere', first.id(), second.id());
  same('with its ephemeral', first.id(), (await second.exists('/node/taken')).ephemeralOwner.toString('hex'));
  const gone = await b.watch('exists', '/node/taken');
  second.close();
  await fired('and ends there', gone, Event.NODE_DELETED, '/node/taken');
  await a.states.until(State.DISCONNECTED);
  await act('mend');
  await first.states.until(State.EXPIRED);
  ok('the first one hears of it', true);
  await a.states.until(State.SYNC_CONNECTED);
}

async function sessionEnds() {
  const gone = await b.watch('exists', '/node/kill/e');
  a.close();
  await fired('close deletes ephemerals', gone, Event.NODE_DELETED, '/node/kill/e');
  same('all of them', null, await b.exists('/node/stop/e'));
  ok('and nothing else', await b.exists('/node/stop'));
  b.close();
}

async function main() {
  a = await Session.open(proxied);
  b = await Session.open(direct);
  for (const part of [modes, data, children, acls, transactions, watches, connectionLost]) {
    await part();
  }
  await serverLost('kill');
  await serverLost('stop');
  await takeover();
  await sessionEnds();
}

main().then(() => {
  console.log(`PASS ${checks} checks`);
  process.exit(0);
}).catch((e) => {
  console.error(e);
  console.log(`FAIL ${String(e).replace(/\n/g, ' ')}`);
  process.exit(1);
});
