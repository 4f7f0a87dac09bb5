#define _GNU_SOURCE
#include "CAnswers.h"
#include <dlfcn.h>
#include <stdatomic.h>
#include <sys/types.h>

typedef int (*queue_response)(struct MHD_Connection *, unsigned int, struct MHD_Response *);

extern void MHD_destroy_response(struct MHD_Response *response);

static _Atomic(queue_response) library;
static _Atomic(haul_own_answer) own;

int haul_answers_start(haul_own_answer ask)
{
    atomic_store(&own, ask);
    atomic_store(&library, (queue_response)dlsym(RTLD_NEXT, "MHD_queue_response"));
    return atomic_load(&library) != NULL;
}

int haul_answer(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response)
{
    queue_response queue = atomic_load_explicit(&library, memory_order_relaxed);
    return queue ? queue(connection, status, response) : 0;
}

/// Called by libmicrohttpd alone: our own answers go through haul_answer.
int MHD_queue_response(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response)
{
    (void)response; // the library's, in HTML; it frees it
    haul_own_answer ask = atomic_load(&own);
    struct MHD_Response *ours = ask ? ask(connection, &status) : NULL;
    if (!ours)
        return 0;
    int taken = haul_answer(connection, status, ours);
    MHD_destroy_response(ours);
    return taken;
}

long haul_tls_send(void *session, const void *bytes, size_t count)
{
    ssize_t (*record_send)(void *, const void *, size_t) =
        (ssize_t (*)(void *, const void *, size_t))dlsym(RTLD_DEFAULT, "gnutls_record_send");
    return record_send && session ? record_send(session, bytes, count) : -1;
}
