#pragma once
// libmicrohttpd answers what it can't parse (a head too long, a bad Content-Length or chunk, HTTP/9.9 ...) by itself, in
// HTML, and has no option for other words. It queues those answers through its own exported MHD_queue_response: this
// target defines that symbol, which the dynamic linker prefers (as for a malloc of one's own), and so is asked first.
// A libmicrohttpd linked with -Bsymbolic-functions, which Debian's is not, would go on answering in HTML.

#include <stddef.h>

struct MHD_Connection;
struct MHD_Response;

/// Told of an answer that libmicrohttpd is about to give by itself. Returns what it shall send under `*status` instead
/// (the reference passes to the callee), or NULL: nothing more is sent and the connection closes.
typedef struct MHD_Response *(*haul_own_answer)(struct MHD_Connection *connection, unsigned int *status);

/// Whom to ask, for all daemons of the process. Before the first daemon starts.
/// Returns 0 when libmicrohttpd's own MHD_queue_response can't be found: no daemon may start then.
int haul_answers_start(haul_own_answer ask);

/// libmicrohttpd's MHD_queue_response, for answers of ours: 1, or 0 when it takes none.
int haul_answer(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response);

/// Encrypts bytes and puts them on the socket of a TLS session of libmicrohttpd's, within one of its callbacks (GnuTLS,
/// which libmicrohttpd brings along): how many, or a negative number.
long haul_tls_send(void *session, const void *bytes, size_t count);
