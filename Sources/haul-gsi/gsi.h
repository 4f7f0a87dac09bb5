// haul-gsi: a GridFTP connection with X.509 proxies as a plain pipe. See main.c.
#ifndef HAUL_GSI_H
#define HAUL_GSI_H

#include <gssapi.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// How it ends: what the backend tells from it stands in Tool/GSIComplaint.swift.
enum { EXIT_USAGE = 2, EXIT_CONNECT = 3, EXIT_AUTH = 4, EXIT_CREDENTIAL = 5, EXIT_BROKEN = 6 };

// Seconds that one step of a connection or handshake may take.
enum { STEP_SECONDS = 30 };

// Bytes that wait to be written, at most about this many before reading stops.
enum { OUTBOX_ROOM = 1 << 20 };

// Bytes of one line or token from the other side; a listing comes in one.
enum { LONGEST_TOKEN = 256 << 20 };

// Growing bytes: append at the end, drop from the front.
typedef struct {
    char *bytes;
    size_t start, end, room;
} buffer_t;

void buffer_append(buffer_t *buffer, const void *bytes, size_t count);
void buffer_drop(buffer_t *buffer, size_t count);
static inline size_t buffer_count(const buffer_t *buffer) { return buffer->end - buffer->start; }
static inline char *buffer_head(const buffer_t *buffer) { return buffer->bytes + buffer->start; }

// Says why and ends the process.
void fail(int code, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

// A connection, or the end of the process.
int net_connect(const char *host, const char *port);
// The address at the other end, in figures.
void net_peer(int handle, char *text, size_t room);
void net_write(int handle, const char *bytes, size_t count);
// Fewer than one byte end the process.
size_t net_read(int handle, char *bytes, size_t most);
void net_nonblocking(int descriptor);
// Writes what the descriptor takes now; false once nobody reads any more.
bool net_flush(int descriptor, buffer_t *outbox);
// Reads once; 0 at the end, -1 where there is nothing now.
ssize_t net_fill(int descriptor, buffer_t *inbox);

// The proxy of X509_USER_PROXY, or the end of the process.
gss_cred_id_t gsi_credential(void);
gss_name_t gsi_host_name(const char *host);
// The name that a credential proves.
gss_name_t gsi_own_name(gss_cred_id_t credential);
gss_name_t gsi_subject_name(const char *subject);
// One step of the handshake; true while another is needed. What is to be sent is in `output`.
bool gsi_step(gss_ctx_id_t *context, gss_cred_id_t credential, gss_name_t target, OM_uint32 flags,
              gss_buffer_t input, gss_buffer_t output);
void gsi_fail(int code, const char *what, OM_uint32 major, OM_uint32 minor) __attribute__((noreturn));

// Base64, RFC 4648.
void base64_append(buffer_t *target, const unsigned char *bytes, size_t count);
// The decoded bytes' number, -1 where it is none. `target` has room for 3/4 of `count`.
ssize_t base64_decode(unsigned char *target, const char *text, size_t count);

int control_run(int handle, const char *host, const char *subject);
// `sends`: from standard input to the server; else from the server to standard output.
int data_run(int handle, const char *subject, bool sends);

#endif
