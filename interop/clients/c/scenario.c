/*
 * The scenario of Apache's C client, libzookeeper_mt: most of zookeeper.h, its one-shot watches, and what is left of a session
 * when a connection or the server is lost.
 *
 * Arguments and output are those of every scenario: the proxied address, the direct one; DO, OK, FAIL and PASS lines.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <zookeeper/zookeeper.h>

enum { TIMEOUT_MS = 30000, PATIENCE_S = 60, PATHS = 512, BIG = 960000 };

static int checks;

static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("FAIL ");
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
    va_end(args);
    _exit(1);
}

static void passed(const char *what)
{
    checks++;
    printf("OK %s\n", what);
    fflush(stdout);
}

static void ok(const char *what, int holds)
{
    if (!holds)
        fail("%s", what);
    passed(what);
}

/* The code that a call returned. */
static void code(const char *what, int want, int got)
{
    if (got != want)
        fail("%s: got %d %s, want %d %s", what, got, zerror(got), want, zerror(want));
    passed(what);
}

static void text(const char *what, const char *want, const char *got)
{
    if (got == NULL || strcmp(want, got) != 0)
        fail("%s: got %s, want %s", what, got ? got : "nothing", want);
    passed(what);
}

static void number(const char *what, int64_t want, int64_t got)
{
    if (want != got)
        fail("%s: got %lld, want %lld", what, (long long)got, (long long)want);
    passed(what);
}

/* Asks the Go test for something and waits until it is done. */
static void act(const char *word)
{
    char answer[64], want[64];
    printf("DO %s\n", word);
    fflush(stdout);
    snprintf(want, sizeof want, "DONE %s\n", word);
    if (fgets(answer, sizeof answer, stdin) == NULL || strcmp(answer, want) != 0)
        fail("%s was not done", word);
}

/* What one watcher was told, in order; or the states of one session. */
struct events {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct {
        int type, state;
        char path[PATHS];
    } all[256];
    int count, taken;
};

static struct events *events_new(void)
{
    struct events *e = calloc(1, sizeof *e);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->more, NULL);
    return e;
}

static void note(struct events *e, int type, int state, const char *path)
{
    pthread_mutex_lock(&e->lock);
    if (e->count == (int)(sizeof e->all / sizeof e->all[0]))
        fail("too many events");
    e->all[e->count].type = type;
    e->all[e->count].state = state;
    snprintf(e->all[e->count].path, PATHS, "%s", path ? path : "");
    e->count++;
    pthread_cond_broadcast(&e->more);
    pthread_mutex_unlock(&e->lock);
}

static void deadline(struct timespec *at)
{
    clock_gettime(CLOCK_REALTIME, at);
    at->tv_sec += PATIENCE_S;
}

/* A watcher of one znode. Watchers hear of lost connections too, which are no news of the znode. */
static void watched(zhandle_t *zh, int type, int state, const char *path, void *ctx)
{
    (void)zh;
    if (type != ZOO_SESSION_EVENT)
        note(ctx, type, state, path);
}

static void session(zhandle_t *zh, int type, int state, const char *path, void *ctx)
{
    (void)ctx;
    note((struct events *)zoo_get_context(zh), type, state, path);
}

static void next(const char *what, struct events *e, int type, const char *path)
{
    struct timespec at;
    deadline(&at);
    pthread_mutex_lock(&e->lock);
    while (e->taken == e->count)
        if (pthread_cond_timedwait(&e->more, &e->lock, &at) == ETIMEDOUT)
            fail("%s: no event", what);
    int gotType = e->all[e->taken].type;
    char gotPath[PATHS];
    memcpy(gotPath, e->all[e->taken].path, PATHS);
    e->taken++;
    pthread_mutex_unlock(&e->lock);
    if (gotType != type || strcmp(gotPath, path) != 0)
        fail("%s: got event %d of %s, want %d of %s", what, gotType, gotPath, type, path);
    passed(what);
}

static void quiet(const char *what, struct events *e)
{
    pthread_mutex_lock(&e->lock);
    int left = e->count - e->taken;
    pthread_mutex_unlock(&e->lock);
    ok(what, left == 0);
}

/* Waits for a state of the session; what came before it is dropped. */
static void until(struct events *e, int state)
{
    struct timespec at;
    deadline(&at);
    pthread_mutex_lock(&e->lock);
    for (;;) {
        while (e->taken < e->count) {
            int i = e->taken++;
            if (e->all[i].type == ZOO_SESSION_EVENT && e->all[i].state == state) {
                pthread_mutex_unlock(&e->lock);
                return;
            }
        }
        if (pthread_cond_timedwait(&e->more, &e->lock, &at) == ETIMEDOUT)
            fail("the session never became %d", state);
    }
}

static zhandle_t *a, *b;
static struct events *statesOfA, *statesOfB;
static const char *proxied, *direct;

static zhandle_t *open_session(const char *where, struct events *states, const clientid_t *id)
{
    zhandle_t *zh = zookeeper_init2(where, session, TIMEOUT_MS, id, states, ZOO_NO_LOG_CLIENTENV, NULL);
    if (zh == NULL)
        fail("zookeeper_init: %d", errno);
    until(states, ZOO_CONNECTED_STATE);
    return zh;
}

static void create(zhandle_t *zh, const char *path, const char *data)
{
    int rc = zoo_create(zh, path, data, (int)strlen(data), &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, NULL, 0);
    if (rc != ZOK)
        fail("create %s: %s", path, zerror(rc));
}

static void set(zhandle_t *zh, const char *path, const char *data)
{
    int rc = zoo_set(zh, path, data, (int)strlen(data), -1);
    if (rc != ZOK)
        fail("set %s: %s", path, zerror(rc));
}

/* The data of a znode, valid until the next call. */
static const char *get(zhandle_t *zh, const char *path, struct Stat *stat)
{
    static char buffer[PATHS];
    int length = sizeof buffer - 1;
    int rc = zoo_get(zh, path, 0, buffer, &length, stat);
    if (rc != ZOK)
        fail("get %s: %s", path, zerror(rc));
    buffer[length < 0 ? 0 : length] = 0;
    return buffer;
}

static void modes(void)
{
    char path[PATHS];
    struct Stat stat;
    ok("session id", zoo_client_id(a)->client_id != 0 && zoo_client_id(a)->client_id != zoo_client_id(b)->client_id);
    number("timeout", TIMEOUT_MS, zoo_recv_timeout(a));
    number("state", ZOO_CONNECTED_STATE, zoo_state(a));
    ok("recoverable", is_unrecoverable(a) == ZOK);
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    ok("the connected host", zookeeper_get_connected_host(b, (struct sockaddr *)&address, &length) != NULL
        && atoi(strrchr(direct, ':') + 1) == ntohs(address.sin_port));
    text("the current server", direct, zoo_get_current_server(b));

    code("persistent", ZOK, zoo_create(a, "/c", "root", 4, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, path, sizeof path));
    text("its path", "/c", path);
    create(a, "/c/modes", "");
    code("with stat", ZOK, zoo_create2(a, "/c/modes/p", "p", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT, path, sizeof path, &stat));
    ok("stat of a new node", stat.czxid == stat.mzxid && stat.version == 0 && stat.dataLength == 1 && stat.ephemeralOwner == 0);
    code("sequential", ZOK, zoo_create(a, "/c/modes/s-", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL, path, sizeof path));
    text("its number", "/c/modes/s-0000000001", path);
    code("ephemeral", ZOK, zoo_create2(a, "/c/modes/e", "e", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, path, sizeof path, &stat));
    number("its owner", zoo_client_id(a)->client_id, stat.ephemeralOwner);
    code("ephemeral sequential", ZOK, zoo_create(a, "/c/modes/es-", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL_SEQUENTIAL, path, sizeof path));
    text("its number too", "/c/modes/es-0000000003", path);
    code("container", ZOK, zoo_create2(a, "/c/modes/c", "c", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_CONTAINER, path, sizeof path, &stat));
    number("a container has no owner", 0, stat.ephemeralOwner);
    code("ttl", ZOK, zoo_create_ttl(a, "/c/modes/t", "t", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL, 3600000, path, sizeof path));
    code("ttl sequential", ZOK, zoo_create2_ttl(a, "/c/modes/ts-", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 3600000,
        path, sizeof path, &stat));
    text("its number as well", "/c/modes/ts-0000000006", path);
    number("a ttl node has no owner", 0, stat.ephemeralOwner);
    code("exists", ZOK, zoo_exists(a, "/c/modes", 0, &stat));
    ok("parent counts", stat.numChildren == 7 && stat.cversion == 7 && stat.version == 0);

    code("exists already", ZNODEEXISTS, zoo_create(a, "/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
    code("no parent", ZNONODE, zoo_create(a, "/c/none/x", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
    code("child of an ephemeral", ZNOCHILDRENFOREPHEMERALS, zoo_create(a, "/c/modes/e/x", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
    struct ACL_vector none = {0, NULL};
    code("no acl", ZINVALIDACL, zoo_create(a, "/c/x", "", 0, &none, 0, NULL, 0));
    code("a bad path", ZBADARGUMENTS, zoo_create(a, "/c//x", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
}

static void data(void)
{
    struct Stat first, second;
    create(a, "/c/data", "one");
    text("get", "one", get(a, "/c/data", &first));
    code("set", ZOK, zoo_set2(a, "/c/data", "two", 3, 0, &second));
    ok("stat of a set", second.version == 1 && second.mzxid > first.mzxid && second.czxid == first.czxid);
    code("set with an old version", ZBADVERSION, zoo_set(a, "/c/data", "x", 1, 0));
    code("set of nothing", ZNONODE, zoo_set(a, "/c/none", "x", 1, -1));
    char small[8];
    int length = sizeof small;
    code("get of nothing", ZNONODE, zoo_get(a, "/c/none", 0, small, &length, NULL));
    code("set null", ZOK, zoo_set(a, "/c/data", NULL, -1, -1));
    length = sizeof small;
    code("get null", ZOK, zoo_get(a, "/c/data", 0, small, &length, NULL));
    number("null has length -1", -1, length);
    code("set empty", ZOK, zoo_set(a, "/c/data", "", 0, -1));
    length = sizeof small;
    code("get empty", ZOK, zoo_get(a, "/c/data", 0, small, &length, NULL));
    number("empty has length 0", 0, length);
    char *big = malloc(BIG), *back = malloc(BIG);
    memset(big, 'z', BIG);
    code("set of 960000 bytes", ZOK, zoo_set(a, "/c/data", big, BIG, -1));
    length = BIG;
    code("get of 960000 bytes", ZOK, zoo_get(b, "/c/data", 0, back, &length, NULL));
    ok("they are the same", length == BIG && memcmp(big, back, BIG) == 0);
    free(big);
    free(back);
    code("exists of nothing", ZNONODE, zoo_exists(a, "/c/none", 0, &first));
    code("delete with an old version", ZBADVERSION, zoo_delete(a, "/c/data", 0));
    code("delete", ZOK, zoo_delete(a, "/c/data", 4));
    code("delete of nothing", ZNONODE, zoo_delete(a, "/c/data", -1));
    code("delete of a parent", ZNOTEMPTY, zoo_delete(a, "/c", -1));
    create(a, "/c/ünïcode-日本", "ö");
    text("a path beyond ASCII", "ö", get(b, "/c/ünïcode-日本", NULL));
}

static void children(void)
{
    struct String_vector names;
    struct Stat stat;
    create(a, "/c/kids", "");
    code("no children", ZOK, zoo_get_children(a, "/c/kids", 0, &names));
    number("none of them", 0, names.count);
    deallocate_String_vector(&names);
    create(a, "/c/kids/x", "");
    create(a, "/c/kids/y", "");
    code("children", ZOK, zoo_get_children2(a, "/c/kids", 0, &names, &stat));
    ok("both", names.count == 2 && stat.numChildren == 2 && stat.cversion == 2
        && ((strcmp(names.data[0], "x") == 0 && strcmp(names.data[1], "y") == 0)
            || (strcmp(names.data[0], "y") == 0 && strcmp(names.data[1], "x") == 0)));
    deallocate_String_vector(&names);
    code("children of nothing", ZNONODE, zoo_get_children(a, "/c/none", 0, &names));
}

/* Where asynchronous calls leave what they gave, one line each. */
struct answers {
    pthread_mutex_t lock;
    pthread_cond_t more;
    char lines[32][PATHS];
    int count;
};

static struct answers answers = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {{0}}, 0};

static void answer(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&answers.lock);
    vsnprintf(answers.lines[answers.count++], PATHS, format, args);
    pthread_cond_broadcast(&answers.more);
    pthread_mutex_unlock(&answers.lock);
    va_end(args);
}

static void await(int count)
{
    struct timespec at;
    deadline(&at);
    pthread_mutex_lock(&answers.lock);
    while (answers.count < count)
        if (pthread_cond_timedwait(&answers.more, &answers.lock, &at) == ETIMEDOUT)
            fail("only %d of %d answers came", answers.count, count);
    pthread_mutex_unlock(&answers.lock);
}

static void on_void(int rc, const void *what) { answer("%s %d", (const char *)what, rc); }
static void on_stat(int rc, const struct Stat *s, const void *what) { answer("%s %d %d", (const char *)what, rc, s ? s->version : -1); }
static void on_string(int rc, const char *value, const void *what) { answer("%s %d %s", (const char *)what, rc, value ? value : "-"); }
static void on_string_stat(int rc, const char *value, const struct Stat *s, const void *what)
{
    answer("%s %d %s %d", (const char *)what, rc, value ? value : "-", s ? s->version : -1);
}
static void on_data(int rc, const char *value, int length, const struct Stat *s, const void *what)
{
    answer("%s %d %.*s %d", (const char *)what, rc, length, value, s ? s->version : -1);
}
static void on_strings(int rc, const struct String_vector *v, const void *what) { answer("%s %d %d", (const char *)what, rc, v ? v->count : -1); }
static void on_strings_stat(int rc, const struct String_vector *v, const struct Stat *s, const void *what)
{
    answer("%s %d %d %d", (const char *)what, rc, v ? v->count : -1, s ? s->cversion : -1);
}
static void on_acl(int rc, struct ACL_vector *acl, struct Stat *s, const void *what)
{
    answer("%s %d %d %d", (const char *)what, rc, acl ? acl->count : -1, s ? s->aversion : -1);
}

/* The asynchronous form of each call: answers in the order of the calls. */
static void callbacks(void)
{
    static const char *want[] = {
        "create 0 /c/async", "create2 -110 - -1", "ttl 0 /c/async/t 0", "exists 0 0", "get 0 1 0", "set 0 1", "set -103 -1",
        "getacl 0 1 0", "setacl 0", "children 0 1", "children2 0 1 1", "sync 0 /c/async", "multi 0", "delete 0", "exists -101 -1",
    };
    const char *p = "/c/async";
    static zoo_op_t op;
    static zoo_op_result_t result;
    zoo_delete_op_init(&op, "/c/async/t", -1);
    zoo_acreate(a, p, "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, on_string, "create");
    zoo_acreate2(a, p, "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, on_string_stat, "create2");
    zoo_acreate2_ttl(a, "/c/async/t", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL, 3600000, on_string_stat, "ttl");
    zoo_aexists(a, p, 0, on_stat, "exists");
    zoo_aget(a, p, 0, on_data, "get");
    zoo_aset(a, p, "2", 1, 0, on_stat, "set");
    zoo_aset(a, p, "2", 1, 0, on_stat, "set");
    zoo_aget_acl(a, p, on_acl, "getacl");
    zoo_aset_acl(a, p, 0, &ZOO_OPEN_ACL_UNSAFE, on_void, "setacl");
    zoo_aget_children(a, p, 0, on_strings, "children");
    zoo_aget_children2(a, p, 0, on_strings_stat, "children2");
    zoo_async(a, p, on_string, "sync");
    zoo_amulti(a, 1, &op, &result, on_void, "multi");
    zoo_adelete(a, p, 1, on_void, "delete");
    zoo_aexists(a, p, 0, on_stat, "exists");
    int n = sizeof want / sizeof want[0];
    await(n);
    for (int i = 0; i < n; i++)
        text(want[i], want[i], answers.lines[i]);
    answers.count = 0;
}

static void acls(void)
{
    struct ACL_vector acl;
    struct Stat stat;
    char path[PATHS], buffer[PATHS];
    int length = sizeof buffer;
    code("add digest", ZOK, zoo_add_auth(a, "digest", "ann:secret", 10, on_void, "auth"));
    await(1);
    text("digest added", "auth 0", answers.lines[0]);
    answers.count = 0;
    code("create with auth", ZOK, zoo_create(a, "/c/private", "p", 1, &ZOO_CREATOR_ALL_ACL, 0, path, sizeof path));
    code("get acl", ZOK, zoo_get_acl(a, "/c/private", &acl, &stat));
    ok("auth becomes the digest", acl.count == 1 && strcmp(acl.data[0].id.scheme, "digest") == 0
        && strncmp(acl.data[0].id.id, "ann:", 4) == 0 && acl.data[0].perms == ZOO_PERM_ALL && stat.aversion == 0);
    code("a stranger reads", ZNOAUTH, zoo_get(b, "/c/private", 0, buffer, &length, NULL));
    code("a stranger writes", ZNOAUTH, zoo_set(b, "/c/private", "", 0, -1));
    code("a stranger creates", ZNOAUTH, zoo_create(b, "/c/private/x", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
    struct ACL_vector seen;
    code("a stranger asks for the acl", ZNOAUTH, zoo_get_acl(b, "/c/private", &seen, NULL));
    code("a stranger sets the acl", ZNOAUTH, zoo_set_acl(b, "/c/private", -1, &ZOO_OPEN_ACL_UNSAFE));
    code("auth without an identity", ZINVALIDACL, zoo_create(b, "/c/x", "", 0, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0));
    struct ACL both[] = {ZOO_READ_ACL_UNSAFE.data[0], acl.data[0]};
    struct ACL_vector readable = {2, both};
    code("set acl", ZOK, zoo_set_acl(a, "/c/private", 0, &readable));
    code("set acl with an old version", ZBADVERSION, zoo_set_acl(a, "/c/private", 0, &readable));
    text("a stranger reads now", "p", get(b, "/c/private", &stat));
    ok("only the acl's version moved", stat.aversion == 1 && stat.version == 0);
    code("a reader asks for the acl", ZOK, zoo_get_acl(b, "/c/private", &seen, NULL));
    text("a reader sees no hash", "ann:x", seen.data[1].id.id);
    code("a reader writes", ZNOAUTH, zoo_set(b, "/c/private", "", 0, -1));
    deallocate_ACL_vector(&acl);
    deallocate_ACL_vector(&seen);

    struct events *states = events_new();
    zhandle_t *bad = open_session(direct, states, NULL);
    zoo_add_auth(bad, "nosuch", "x", 1, on_void, "auth");
    until(states, ZOO_AUTH_FAILED_STATE);
    passed("an unknown scheme fails");
    ok("for good", is_unrecoverable(bad) != ZOK);
    zookeeper_close(bad);
    answers.count = 0;
}

static void multi(void)
{
    char sequential[PATHS], ephemeral[PATHS];
    struct Stat stat, made;
    zoo_op_t ops[5];
    zoo_op_result_t got[5];
    create(a, "/c/multi", "m");
    zoo_check_op_init(&ops[0], "/c/multi", 0);
    zoo_create_op_init(&ops[1], "/c/multi/s-", "s", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL, sequential, sizeof sequential);
    zoo_create_op_init(&ops[2], "/c/multi/e", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, ephemeral, sizeof ephemeral);
    zoo_set_op_init(&ops[3], "/c/multi", "n", 1, 0, &stat);
    zoo_delete_op_init(&ops[4], "/c/multi/e", 0);
    code("multi", ZOK, zoo_multi(a, 5, ops, got));
    text("multi created", "/c/multi/s-0000000000", sequential);
    number("multi set", 1, stat.version);
    code("it is there", ZOK, zoo_exists(a, "/c/multi/s-0000000000", 0, &made));
    number("one zxid for all", stat.mzxid, made.czxid);
    zoo_create_op_init(&ops[0], "/c/multi/x", NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, sequential, sizeof sequential);
    zoo_check_op_init(&ops[1], "/c/multi", 7);
    zoo_delete_op_init(&ops[2], "/c/multi", -1);
    code("multi that fails", ZBADVERSION, zoo_multi(a, 3, ops, got));
    ok("an error for each", got[0].err == ZOK && got[1].err == ZBADVERSION && got[2].err == ZRUNTIMEINCONSISTENCY);
    code("nothing happened", ZNONODE, zoo_exists(a, "/c/multi/x", 0, &made));
}

static void watches(void)
{
    struct events *born = events_new(), *kids = events_new(), *changed = events_new(), *gone = events_new(), *empty = events_new();
    struct String_vector names;
    struct Stat stat;
    char buffer[PATHS];
    int length = sizeof buffer;
    create(a, "/c/w", "");
    code("exists and watch", ZNONODE, zoo_wexists(a, "/c/w/x", watched, born, &stat));
    code("list and watch", ZOK, zoo_wget_children(a, "/c/w", watched, kids, &names));
    deallocate_String_vector(&names);
    create(b, "/c/w/x", "0");
    next("exists watch: created", born, ZOO_CREATED_EVENT, "/c/w/x");
    next("child watch: created", kids, ZOO_CHILD_EVENT, "/c/w");
    code("get and watch", ZOK, zoo_wget(a, "/c/w/x", watched, changed, buffer, &length, NULL));
    set(b, "/c/w/x", "1");
    set(b, "/c/w/x", "2");
    next("data watch: changed", changed, ZOO_CHANGED_EVENT, "/c/w/x");
    length = sizeof buffer;
    code("get and watch again", ZOK, zoo_wget(a, "/c/w/x", watched, gone, buffer, &length, NULL));
    code("list with stat and watch", ZOK, zoo_wget_children2(a, "/c/w/x", watched, empty, &names, &stat));
    deallocate_String_vector(&names);
    code("list and watch again", ZOK, zoo_wget_children(a, "/c/w", watched, kids, &names));
    deallocate_String_vector(&names);
    code("an acl is no data", ZOK, zoo_set_acl(b, "/c/w/x", -1, &ZOO_OPEN_ACL_UNSAFE));
    code("delete", ZOK, zoo_delete(b, "/c/w/x", -1));
    next("data watch: deleted", gone, ZOO_DELETED_EVENT, "/c/w/x");
    next("child watch: deleted itself", empty, ZOO_DELETED_EVENT, "/c/w/x");
    next("child watch: deleted child", kids, ZOO_CHILD_EVENT, "/c/w");
    quiet("one shot is one", changed);
    quiet("one shot is one for exists", born);

    code("exists and watch by the session", ZNONODE, zoo_exists(a, "/c/w/y", 1, &stat));
    create(b, "/c/w/y", "");
    next("the session's own watcher", statesOfA, ZOO_CREATED_EVENT, "/c/w/y");

    struct events *removed = events_new(), *kept = events_new();
    length = sizeof buffer;
    code("watch to remove", ZOK, zoo_wget(a, "/c/w/y", watched, removed, buffer, &length, NULL));
    code("remove watches", ZOK, zoo_remove_watches(a, "/c/w/y", ZWATCHTYPE_DATA, watched, removed, 0));
    code("remove what is not there", ZNOWATCHER, zoo_remove_watches(a, "/c/w/y", ZWATCHTYPE_DATA, watched, removed, 0));
    length = sizeof buffer;
    code("watch to remove with all", ZOK, zoo_wget(a, "/c/w/y", watched, removed, buffer, &length, NULL));
    code("remove all watches", ZOK, zoo_remove_all_watches(a, "/c/w/y", ZWATCHTYPE_ANY, 0));
    length = sizeof buffer;
    code("watch to keep", ZOK, zoo_wget(a, "/c/w/y", watched, kept, buffer, &length, NULL));
    set(b, "/c/w/y", "1");
    next("a watch after the removed", kept, ZOO_CHANGED_EVENT, "/c/w/y");
    quiet("the removed are quiet", removed);
}

static void configuration(void)
{
    char buffer[PATHS];
    int length = sizeof buffer;
    struct Stat stat;
    code("configuration", ZOK, zoo_getconfig(a, 0, buffer, &length, &stat));
    ok("a configuration is empty or names servers", length <= 0 || strncmp(buffer, "server.1=", 9) == 0);
    length = sizeof buffer;
    code("reconfig without the feature", ZRECONFIGDISABLED,
        zoo_reconfig(a, "server.2=127.0.0.1:1:2;3", NULL, NULL, -1, buffer, &length, &stat));
    code("servers may change", ZOK, zoo_set_servers(b, direct));
}

static void watch_data(zhandle_t *zh, const char *path, struct events *e)
{
    char buffer[PATHS];
    int length = sizeof buffer;
    int rc = zoo_wget(zh, path, watched, e, buffer, &length, NULL);
    if (rc != ZOK)
        fail("get and watch %s: %s", path, zerror(rc));
}

static void watch_children(zhandle_t *zh, const char *path, struct events *e)
{
    struct String_vector names;
    int rc = zoo_wget_children(zh, path, watched, e, &names);
    if (rc != ZOK)
        fail("list and watch %s: %s", path, zerror(rc));
    deallocate_String_vector(&names);
}

static void connection_lost(void)
{
    int64_t id = zoo_client_id(a)->client_id;
    struct Stat stat;
    act("drop");
    until(statesOfA, ZOO_CONNECTING_STATE);
    until(statesOfA, ZOO_CONNECTED_STATE);
    number("same session after a drop", id, zoo_client_id(a)->client_id);

    create(a, "/c/away", "");
    create(a, "/c/away/data", "");
    create(a, "/c/away/kids", "");
    create(a, "/c/away/gone", "");
    create(a, "/c/away/still", "");
    create(a, "/c/away/kept", "");
    code("an ephemeral", ZOK, zoo_create(a, "/c/away/mine", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0));
    struct events *changed = events_new(), *kids = events_new(), *gone = events_new(), *still = events_new(), *kept = events_new(),
                  *born = events_new(), *unborn = events_new();
    watch_data(a, "/c/away/data", changed);
    watch_children(a, "/c/away/kids", kids);
    code("watch what will go", ZOK, zoo_wexists(a, "/c/away/gone", watched, gone, &stat));
    watch_data(a, "/c/away/still", still);
    watch_children(a, "/c/away/kept", kept);
    code("watch what will come", ZNONODE, zoo_wexists(a, "/c/away/born", watched, born, &stat));
    code("watch what will come later", ZNONODE, zoo_wexists(a, "/c/away/unborn", watched, unborn, &stat));
    act("cut");
    until(statesOfA, ZOO_CONNECTING_STATE);
    set(b, "/c/away/data", "new");
    create(b, "/c/away/kids/k", "");
    code("delete meanwhile", ZOK, zoo_delete(b, "/c/away/gone", -1));
    create(b, "/c/away/born", "");
    code("ephemeral while away", ZOK, zoo_exists(b, "/c/away/mine", 0, &stat));
    number("its owner is the same", id, stat.ephemeralOwner);
    act("mend");
    until(statesOfA, ZOO_CONNECTED_STATE);
    number("same session after a cut", id, zoo_client_id(a)->client_id);
    next("caught up: changed", changed, ZOO_CHANGED_EVENT, "/c/away/data");
    next("caught up: child", kids, ZOO_CHILD_EVENT, "/c/away/kids");
    next("caught up: deleted", gone, ZOO_DELETED_EVENT, "/c/away/gone");
    next("caught up: created", born, ZOO_CREATED_EVENT, "/c/away/born");
    quiet("what did not change is quiet: data", still);
    quiet("what did not change is quiet: children", kept);
    quiet("what did not change is quiet: exists", unborn);
    set(b, "/c/away/still", "new");
    create(b, "/c/away/kept/k", "");
    create(b, "/c/away/unborn", "");
    next("re-armed: changed", still, ZOO_CHANGED_EVENT, "/c/away/still");
    next("re-armed: child", kept, ZOO_CHILD_EVENT, "/c/away/kept");
    next("re-armed: created", unborn, ZOO_CREATED_EVENT, "/c/away/unborn");
    code("the identity came back", ZOK, zoo_set(a, "/c/private", "p", 1, -1));
}

static int same_stat(const struct Stat *x, const struct Stat *y)
{
    return x->czxid == y->czxid && x->mzxid == y->mzxid && x->ctime == y->ctime && x->mtime == y->mtime && x->version == y->version
        && x->cversion == y->cversion && x->aversion == y->aversion && x->ephemeralOwner == y->ephemeralOwner
        && x->dataLength == y->dataLength && x->numChildren == y->numChildren && x->pzxid == y->pzxid;
}

static void server_lost(const char *how)
{
    char root[64], path[PATHS], what[PATHS], made[PATHS];
    struct Stat before, after;
#define NAMED(suffix) (snprintf(what, sizeof what, "%s: %s", how, suffix), what)
#define UNDER(name) (snprintf(path, sizeof path, "%s/%s", root, name), path)
    snprintf(root, sizeof root, "/c/%s", how);
    create(a, root, "1");
    code(NAMED("ephemeral"), ZOK, zoo_create(a, UNDER("e"), "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0));
    code(NAMED("sequential"), ZOK, zoo_create(a, UNDER("s-"), "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL, NULL, 0));
    set(a, root, "2");
    struct events *changed = events_new(), *kids = events_new(), *born = events_new(), *other = events_new();
    watch_data(a, root, changed);
    watch_children(a, root, kids);
    watch_data(b, root, other);
    code(NAMED("watch"), ZNONODE, zoo_wexists(a, UNDER("born"), watched, born, &after));
    get(a, root, &before);
    int64_t idOfA = zoo_client_id(a)->client_id, idOfB = zoo_client_id(b)->client_id;
    act(how);
    until(statesOfA, ZOO_CONNECTING_STATE);
    until(statesOfB, ZOO_CONNECTING_STATE);
    act("start");
    until(statesOfA, ZOO_CONNECTED_STATE);
    until(statesOfB, ZOO_CONNECTED_STATE);
    number(NAMED("same session"), idOfA, zoo_client_id(a)->client_id);
    number(NAMED("same session of the other"), idOfB, zoo_client_id(b)->client_id);
    text(NAMED("same data"), "2", get(a, root, &after));
    ok(NAMED("same stat"), same_stat(&before, &after));
    code(NAMED("ephemeral is there"), ZOK, zoo_exists(b, UNDER("e"), 0, &after));
    number(NAMED("its owner is the same"), idOfA, after.ephemeralOwner);
    quiet(NAMED("no event of its own"), changed);
    set(b, root, "3");
    next(NAMED("data watch"), changed, ZOO_CHANGED_EVENT, root);
    next(NAMED("data watch of the other"), other, ZOO_CHANGED_EVENT, root);
    code(NAMED("the sequence goes on"), ZOK, zoo_create(b, UNDER("s-"), "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_SEQUENTIAL, made, sizeof made));
    text("with its next number", UNDER("s-0000000002"), made);
    next(NAMED("child watch"), kids, ZOO_CHILD_EVENT, root);
    create(b, UNDER("born"), "");
    next(NAMED("exists watch"), born, ZOO_CREATED_EVENT, UNDER("born"));
    code(NAMED("the identity came back"), ZOK, zoo_set(a, "/c/private", "p", 1, -1));
}

/* Another handle may go on with a session when it knows the id and the password; with a wrong password it may not. */
static void takeover(void)
{
    struct events *lost = events_new(), *refused = events_new(), *resumed = events_new();
    struct Stat stat;
    zhandle_t *first = open_session(proxied, lost, NULL);
    clientid_t id = *zoo_client_id(first), wrong = id;
    memset(wrong.passwd, 0, sizeof wrong.passwd);
    code("an ephemeral to take over", ZOK, zoo_create(first, "/c/taken", "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0));
    act("cut");
    until(lost, ZOO_CONNECTING_STATE);
    zhandle_t *thief = zookeeper_init2(direct, session, TIMEOUT_MS, &wrong, refused, ZOO_NO_LOG_CLIENTENV, NULL);
    until(refused, ZOO_EXPIRED_SESSION_STATE);
    passed("a wrong password resumes nothing");
    zookeeper_close(thief);
    zhandle_t *second = open_session(direct, resumed, &id);
    number("a session goes on elsewhere", id.client_id, zoo_client_id(second)->client_id);
    code("with its ephemeral", ZOK, zoo_exists(second, "/c/taken", 0, &stat));
    number("that it owns", id.client_id, stat.ephemeralOwner);
    zookeeper_close(second);
    code("and ends there", ZNONODE, zoo_exists(b, "/c/taken", 0, &stat));
    until(statesOfA, ZOO_CONNECTING_STATE);
    act("mend");
    until(lost, ZOO_EXPIRED_SESSION_STATE);
    ok("the first one hears of it", is_unrecoverable(first) != ZOK);
    until(statesOfA, ZOO_CONNECTED_STATE);
    zookeeper_close(first);
}

static void session_ends(void)
{
    struct events *gone = events_new();
    struct Stat stat;
    code("ephemeral before", ZOK, zoo_wexists(b, "/c/kill/e", watched, gone, &stat));
    code("close", ZOK, zookeeper_close(a));
    next("close deletes ephemerals", gone, ZOO_DELETED_EVENT, "/c/kill/e");
    code("all of them", ZNONODE, zoo_exists(b, "/c/stop/e", 0, &stat));
    code("and nothing else", ZOK, zoo_exists(b, "/c/stop", 0, &stat));
    code("close the other", ZOK, zookeeper_close(b));
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage: scenario proxied direct");
    proxied = argv[1];
    direct = argv[2];
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    statesOfA = events_new();
    statesOfB = events_new();
    a = open_session(proxied, statesOfA, NULL);
    b = open_session(direct, statesOfB, NULL);
    modes();
    data();
    children();
    callbacks();
    acls();
    multi();
    watches();
    configuration();
    connection_lost();
    server_lost("kill");
    server_lost("stop");
    takeover();
    session_ends();
    printf("PASS %d checks\n", checks);
    return 0;
}
