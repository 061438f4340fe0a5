/*
 * Who may connect: ZAP (ZeroMQ RFC 27). libzmq asks for each CURVE handshake, before any message:
 * here is a public key, and its owner has proved to have the secret one. It asks a REP socket under
 * a name that the standard fixes, which must be bound before the inbox is; in the same loop, so
 * that there is no lock and no second opinion.
 *
 * The answer carries the key as User-Id, and libzmq attaches that to each message of the
 * connection: mesh.c sees there whose messages they are. Names are judged there, too, because the
 * handshake does not say any.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "io/mesh_internal.h"

enum { KEY_BYTES = 32, FRAMES_MAX = 16, FRAME_BYTES_MAX = 255 };

/* RFC 27: the frames of a request. */
enum {
    FRAME_VERSION,
    FRAME_ID,
    FRAME_DOMAIN,
    FRAME_ADDRESS,
    FRAME_IDENTITY,
    FRAME_MECHANISM,
    FRAME_KEY,
    FRAME_COUNT
};

struct frame {
    char bytes[FRAME_BYTES_MAX + 1]; /* a NUL follows */
    size_t length;
};

/* Reads one request. False: there is none. A frame that is too long or too many leave `ret_count`
 * zero. */
static bool take_request(void *gate, struct frame frames[FRAME_COUNT], size_t *ret_count)
{
    size_t count = 0;
    bool is_good = true;
    int has_more = 1;
    for (size_t i = 0; has_more; i++) {
        struct frame *frame = &frames[i < FRAME_COUNT ? i : FRAME_COUNT - 1];
        char extra[1];
        bool is_extra = i >= FRAME_COUNT;
        int n = zmq_recv(gate, is_extra ? extra : frame->bytes, is_extra ? 1 : FRAME_BYTES_MAX,
                         ZMQ_DONTWAIT);
        if (n < 0)
            return false;
        is_good &= !is_extra && n <= FRAME_BYTES_MAX;
        if (is_good) {
            frame->length = (size_t)n;
            frame->bytes[n] = '\0';
            count++;
        }
        size_t size = sizeof(has_more);
        zmq_getsockopt(gate, ZMQ_RCVMORE, &has_more, &size);
    }
    *ret_count = is_good ? count : 0;
    return true;
}

static void answer(void *gate, const struct frame *id, bool is_welcome, const char *key)
{
    const struct {
        const void *bytes;
        size_t length;
    } parts[] = {
        {"1.0", 3},
        {id->bytes, id->length},
        {is_welcome ? "200" : "400", 3},
        {is_welcome ? "OK" : "this key is not trusted", is_welcome ? 2 : 23},
        {is_welcome ? key : "", is_welcome ? strlen(key) : 0},
        {"", 0},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(parts); i++)
        zmq_send(gate, parts[i].bytes, parts[i].length,
                 ZMQ_DONTWAIT | (i + 1 < SV_ARRAY_LENGTH(parts) ? ZMQ_SNDMORE : 0));
}

static void say_refusal(struct sv_mesh *mesh, const char *address, const char *key)
{
    char more[64];
    mesh->counters.refused++;
    if (sv_mesh_may_complain(&mesh->refused, &more))
        sv_log_warn("mesh: refused a connection from %s: its key is not trusted here; if it should "
                    "be, say `svctl mesh trust '%s' NAME`%s",
                    address, key, more);
}

static bool take_one(void *user)
{
    struct sv_mesh *mesh = user;
    struct frame frames[FRAME_COUNT] = {0};
    size_t count;
    char key[SV_MESH_KEY_LENGTH + 1] = "";
    if (!take_request(mesh->gate, frames, &count))
        return false;
    bool has_key = count == FRAME_COUNT && strcmp(frames[FRAME_MECHANISM].bytes, "CURVE") == 0 &&
                   frames[FRAME_KEY].length == KEY_BYTES &&
                   zmq_z85_encode(key, (const uint8_t *)frames[FRAME_KEY].bytes, KEY_BYTES);
    sv_mesh_refresh_keys(mesh);
    bool is_welcome = has_key && sv_mesh_keys_trust(&mesh->keys, key);
    if (!is_welcome)
        say_refusal(mesh, frames[FRAME_ADDRESS].bytes, key);
    answer(mesh->gate, &frames[FRAME_ID], is_welcome, key);
    return true;
}

int sv_mesh_gate_open(struct sv_mesh *mesh)
{
    mesh->gate = zmq_socket(mesh->context, ZMQ_REP);
    if (!mesh->gate)
        return error_trace(-errno);
    int r = 0;
    sv_mesh_set(mesh->gate, ZMQ_LINGER, 0, &r);
    if (r == 0 && zmq_bind(mesh->gate, "inproc://zeromq.zap.01") < 0)
        r = -errno;
    if (r == 0)
        r = sv_zmq_watch_new(mesh->loop, mesh->gate, SV_PRIORITY_NORMAL, take_one, mesh,
                             &mesh->gate_watch);
    return r < 0 ? error_trace(r) : 0;
}
