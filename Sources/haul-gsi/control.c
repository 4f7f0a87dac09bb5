// The control connection: AUTH GSSAPI and ADAT of RFC 2228, then ENC commands and 63x replies.
#include "gsi.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static gss_ctx_id_t context = GSS_C_NO_CONTEXT;

typedef struct {
    char *text;
    size_t length; // without the line's end
    size_t taken;  // with it
} line_t;

// The next whole line of what came; `scanned` remembers how far there is none.
static bool next_line(buffer_t *inbox, size_t *scanned, line_t *line) {
    char *head = buffer_head(inbox);
    size_t count = buffer_count(inbox);
    char *end = count > *scanned ? memchr(head + *scanned, '\n', count - *scanned) : NULL;
    if (end == NULL) {
        *scanned = count;
        if (count > LONGEST_TOKEN) fail(EXIT_BROKEN, "the server sends a line without end");
        return false;
    }
    *scanned = 0;
    line->text = head;
    line->taken = (size_t)(end - head) + 1;
    line->length = line->taken - 1;
    if (line->length > 0 && end[-1] == '\r') line->length--;
    return true;
}

static bool is_last(const line_t *line) {
    return line->length >= 4 && line->text[0] >= '1' && line->text[0] <= '6' && line->text[3] == ' ';
}

// What the reply said whose last line was waited for, as one line.
static buffer_t said;

// Bytes of a refusal that are told.
enum { LONGEST_REFUSAL = 2000 };

// The last line of the next reply.
static line_t await_reply(int handle, buffer_t *inbox) {
    size_t scanned = 0;
    buffer_drop(&said, buffer_count(&said));
    while (true) {
        line_t line;
        while (next_line(inbox, &scanned, &line)) {
            if (buffer_count(&said) < LONGEST_REFUSAL) {
                buffer_append(&said, line.text, line.length);
                buffer_append(&said, " ", 1);
            }
            if (is_last(&line)) return line;
            buffer_drop(inbox, line.taken);
        }
        char chunk[1 << 14];
        buffer_append(inbox, chunk, net_read(handle, chunk, sizeof chunk));
    }
}

static void expect(const line_t *line, char first, const char *what) {
    if (line->text[0] != first) fail(EXIT_AUTH, "%s: %.*s", what, (int)buffer_count(&said), buffer_head(&said));
}

static void send_token(int handle, const char *verb, gss_buffer_t token) {
    buffer_t message = {0};
    buffer_append(&message, verb, strlen(verb));
    base64_append(&message, token->value, token->length);
    buffer_append(&message, "\r\n", 2);
    net_write(handle, buffer_head(&message), buffer_count(&message));
    free(message.bytes);
}

static void authenticate(int handle, buffer_t *inbox, const char *host, const char *subject) {
    gss_cred_id_t credential = gsi_credential();
    gss_name_t target = subject != NULL ? gsi_subject_name(subject) : gsi_host_name(host);
    line_t line = await_reply(handle, inbox);
    if (line.text[0] != '2') fail(EXIT_CONNECT, "%.*s", (int)line.length, line.text);
    buffer_drop(inbox, line.taken);
    net_write(handle, "AUTH GSSAPI\r\n", 13);
    line = await_reply(handle, inbox);
    expect(&line, '3', "AUTH GSSAPI");
    buffer_drop(inbox, line.taken);
    gss_buffer_desc input = GSS_C_EMPTY_BUFFER;
    // A limited proxy is enough to move files, and to authenticate the data connections between two servers.
    OM_uint32 flags = GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_DELEG_FLAG
        | GSS_C_GLOBUS_DELEGATE_LIMITED_PROXY_FLAG;
    bool more = true;
    while (more) {
        gss_buffer_desc output = GSS_C_EMPTY_BUFFER;
        more = gsi_step(&context, credential, target, flags, &input, &output);
        free(input.value);
        input.value = NULL;
        if (output.length == 0 && !more) break;
        send_token(handle, "ADAT ", &output);
        line = await_reply(handle, inbox);
        if (line.text[0] != '2' && line.text[0] != '3') expect(&line, '2', "the server refuses the proxy");
        if (line.length > 9 && memcmp(line.text + 4, "ADAT=", 5) == 0) {
            input.value = malloc(line.length);
            ssize_t count = base64_decode(input.value, line.text + 9, line.length - 9);
            if (count < 0) fail(EXIT_BROKEN, "the server's ADAT is no base64");
            input.length = (size_t)count;
        } else if (more) {
            fail(EXIT_AUTH, "the server ends the handshake: %.*s", (int)line.length, line.text);
        }
        buffer_drop(inbox, line.taken);
    }
}

// Every whole command goes out as ENC of itself.
static void protect(buffer_t *commands, buffer_t *outbox) {
    static size_t scanned;
    line_t line;
    while (next_line(commands, &scanned, &line)) {
        OM_uint32 minor;
        gss_buffer_desc plain = {.length = line.taken, .value = line.text}, token = GSS_C_EMPTY_BUFFER;
        OM_uint32 major = gss_wrap(&minor, context, 1, GSS_C_QOP_DEFAULT, &plain, NULL, &token);
        if (GSS_ERROR(major)) gsi_fail(EXIT_BROKEN, "a command cannot be protected", major, minor);
        buffer_append(outbox, "ENC ", 4);
        base64_append(outbox, token.value, token.length);
        buffer_append(outbox, "\r\n", 2);
        gss_release_buffer(&minor, &token);
        buffer_drop(commands, line.taken);
    }
}

// Every protected line comes out as what it holds. Of what is plain only a server's last words are believed: they end the
// connection, as anybody on the way can.
static void reveal(buffer_t *replies, buffer_t *outbox) {
    static size_t scanned;
    line_t line;
    while (next_line(replies, &scanned, &line)) {
        if (line.length > 4 && line.text[0] == '6' && line.text[1] == '3') {
            OM_uint32 minor;
            gss_buffer_desc token = {.value = malloc(line.length)}, plain = GSS_C_EMPTY_BUFFER;
            ssize_t count = base64_decode(token.value, line.text + 4, line.length - 4);
            if (count < 0) fail(EXIT_BROKEN, "a protected reply is no base64");
            token.length = (size_t)count;
            OM_uint32 major = gss_unwrap(&minor, context, &token, &plain, NULL, NULL);
            if (GSS_ERROR(major)) gsi_fail(EXIT_BROKEN, "a reply cannot be read", major, minor);
            free(token.value);
            // Some end it as a C string.
            while (plain.length > 0 && ((char *)plain.value)[plain.length - 1] == 0) plain.length--;
            buffer_append(outbox, plain.value, plain.length);
            if (plain.length == 0 || ((char *)plain.value)[plain.length - 1] != '\n') buffer_append(outbox, "\r\n", 2);
            gss_release_buffer(&minor, &plain);
        } else if (line.length >= 4 && memcmp(line.text, "421 ", 4) == 0) {
            buffer_append(outbox, line.text, line.taken);
        } else {
            fail(EXIT_BROKEN, "the server, or somebody on the way, sends an unprotected reply");
        }
        buffer_drop(replies, line.taken);
    }
}

int control_run(int handle, const char *host, const char *subject) {
    buffer_t replies = {0}, commands = {0}, to_server = {0}, to_user = {0};
    authenticate(handle, &replies, host, subject);
    char peer[256], greeting[300];
    net_peer(handle, peer, sizeof peer);
    buffer_append(&to_user, greeting, (size_t)snprintf(greeting, sizeof greeting, "235 authenticated with %s\r\n", peer));
    net_nonblocking(0);
    net_nonblocking(1);
    bool reads_commands = true, reads_replies = true, ended = false;
    while (true) {
        reveal(&replies, &to_user);
        if (!net_flush(1, &to_user)) return 0;
        if (!net_flush(handle, &to_server)) reads_replies = false;
        if (!reads_replies && buffer_count(&to_user) == 0) return 0;
        if (!reads_commands && !ended && buffer_count(&to_server) == 0) {
            // Whoever ends it wants to know when the server has: that is when this ends.
            shutdown(handle, SHUT_WR);
            ended = true;
        }
        bool room = buffer_count(&to_user) < OUTBOX_ROOM;
        struct pollfd ready[3] = {
            {.fd = reads_commands && buffer_count(&to_server) < OUTBOX_ROOM ? 0 : -1, .events = POLLIN},
            {.fd = reads_replies ? handle : -1, .events = (short)((room ? POLLIN : 0) | (buffer_count(&to_server) > 0 ? POLLOUT : 0))},
            {.fd = buffer_count(&to_user) > 0 ? 1 : -1, .events = POLLOUT},
        };
        poll(ready, 3, -1);
        if (ready[0].revents != 0 && net_fill(0, &commands) == 0) reads_commands = false;
        if (ready[1].revents & (POLLIN | POLLHUP | POLLERR) && net_fill(handle, &replies) == 0) reads_replies = false;
        protect(&commands, &to_server);
    }
}
