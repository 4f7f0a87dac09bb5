#pragma once
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>

// Sends what is left and reads until a result can be taken without waiting.
// 0: it can; 1: nothing moved for so many milliseconds; -1: the connection is lost.
static inline int haul_pq_await(PGconn *connection, int milliseconds) {
    for (;;) {
        int unsent = PQflush(connection);
        if (unsent < 0) return -1;
        if (!PQisBusy(connection)) return 0;
        struct pollfd waited = {PQsocket(connection), (short)(POLLIN | (unsent ? POLLOUT : 0)), 0};
        int ready = poll(&waited, 1, milliseconds);
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return -1;
        if (ready == 0) return 1;
        if ((waited.revents & ~POLLOUT) && !PQconsumeInput(connection)) return -1;
    }
}

// Swift can't import a macro that stands for a character.
static inline const char *haul_pq_sqlstate(const PGresult *result) { return PQresultErrorField(result, PG_DIAG_SQLSTATE); }
