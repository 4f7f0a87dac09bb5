// A data connection to a server that listens: the handshake of DCAU, then plain bytes both ways.
#include "gsi.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Tokens travel as the records of TLS: five bytes of head, of which the last two are the length.
enum { RECORD_HEAD = 5 };

static void read_exactly(int handle, char *bytes, size_t count) {
    while (count > 0) {
        size_t got = net_read(handle, bytes, count);
        bytes += got;
        count -= got;
    }
}

static void handshake(int handle, const char *subject) {
    gss_cred_id_t credential = gsi_credential();
    gss_name_t target = subject != NULL ? gsi_subject_name(subject) : gsi_own_name(credential);
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc input = GSS_C_EMPTY_BUFFER;
    static char record[RECORD_HEAD + (1 << 16)];
    while (true) {
        gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
        bool more = gsi_step(&context, credential, target, GSS_C_MUTUAL_FLAG, &input, &output);
        net_write(handle, output.value, output.length);
        if (!more) return;
        read_exactly(handle, record, RECORD_HEAD);
        if ((unsigned char)record[0] < 20 || (unsigned char)record[0] > 26) {
            fail(EXIT_AUTH, "the data connection does not answer the handshake");
        }
        size_t length = (size_t)(unsigned char)record[3] << 8 | (unsigned char)record[4];
        read_exactly(handle, record + RECORD_HEAD, length);
        input.value = record;
        input.length = RECORD_HEAD + length;
    }
}

int data_run(int handle, const char *subject, bool sends) {
    handshake(handle, subject);
    net_nonblocking(0);
    net_nonblocking(1);
    buffer_t to_server = {0}, to_user = {0};
    bool reading = sends, ended = false;
    while (true) {
        if (!net_flush(1, &to_user)) return 0;
        if (!net_flush(handle, &to_server)) fail(EXIT_BROKEN, "the data connection broke");
        if (sends && !reading && !ended && buffer_count(&to_server) == 0) {
            // The end of the file; the server closes its side once it has all.
            shutdown(handle, SHUT_WR);
            ended = true;
        }
        struct pollfd ready[3] = {
            {.fd = reading && buffer_count(&to_server) < OUTBOX_ROOM ? 0 : -1, .events = POLLIN},
            {.fd = buffer_count(&to_user) < OUTBOX_ROOM ? handle : -1,
             .events = (short)(POLLIN | (buffer_count(&to_server) > 0 ? POLLOUT : 0))},
            {.fd = buffer_count(&to_user) > 0 ? 1 : -1, .events = POLLOUT},
        };
        poll(ready, 3, -1);
        if (ready[0].revents != 0 && net_fill(0, &to_server) == 0) reading = false;
        if (ready[1].revents & (POLLIN | POLLHUP | POLLERR) && net_fill(handle, &to_user) == 0) break;
    }
    // What waits goes before the end is told.
    while (buffer_count(&to_user) > 0) {
        struct pollfd ready = {.fd = 1, .events = POLLOUT};
        poll(&ready, 1, -1);
        if (!net_flush(1, &to_user)) return 0;
    }
    return 0;
}
