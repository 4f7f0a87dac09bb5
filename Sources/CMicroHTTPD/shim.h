// libmicrohttpd for Swift: what Swift can't import (variadic calls, constants behind casts) as inline functions.
#pragma once
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/// What haul_mhd_start passes on; see MHD_OPTION_* in microhttpd.h.
struct haul_mhd_options {
    int listen_fd;
    unsigned int threads;
    unsigned int connection_limit;
    unsigned int idle_timeout_seconds;
    size_t connection_memory;
    void *tls_retrieve; ///< gnutls_certificate_retrieve_function3, or NULL for plain HTTP
    const char *tls_clients; ///< PEM of any authority where clients are asked for certificates, or NULL
    MHD_AccessHandlerCallback access;
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection;
    void *(*target)(void *cls, const char *uri, struct MHD_Connection *connection);
    void *context; ///< given to each callback
};

static inline struct MHD_Daemon *haul_mhd_start(const struct haul_mhd_options *o)
{
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    struct MHD_OptionItem tls[3] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, o->tls_retrieve},
        {o->tls_clients ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, (void *)o->tls_clients},
        {MHD_OPTION_END, 0, NULL},
    };
    if (o->tls_retrieve)
        flags |= MHD_USE_TLS;
    else
        tls[0].option = MHD_OPTION_END;
    // A pool of one is refused by libmicrohttpd; 0 means one thread without a pool.
    unsigned int pool = o->threads > 1 ? o->threads : 0;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, o->access, o->context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)o->listen_fd,
        MHD_OPTION_THREAD_POOL_SIZE, pool,
        MHD_OPTION_CONNECTION_LIMIT, o->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, o->idle_timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->connection_memory,
        MHD_OPTION_NOTIFY_COMPLETED, o->completed, o->context,
        MHD_OPTION_NOTIFY_CONNECTION, o->connection, o->context,
        MHD_OPTION_URI_LOG_CALLBACK, o->target, o->context,
        MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
}

/// The connection's socket, or -1.
static inline int haul_mhd_socket(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    return i ? i->connect_fd : -1;
}

/// The connection's GnuTLS session, or NULL for plain HTTP.
static inline void *haul_mhd_tls(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return i ? (void *)i->tls_session : NULL;
}

/// What the connection callback stored for this connection when it started, or NULL.
static inline void *haul_mhd_context(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return i ? i->socket_context : NULL;
}

static inline const struct sockaddr *haul_mhd_peer(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return i ? i->client_addr : NULL;
}

/// `body` is copied.
static inline struct MHD_Response *haul_mhd_response(const void *body, size_t size)
{
    return MHD_create_response_from_buffer(size, (void *)body, MHD_RESPMEM_MUST_COPY);
}

/// A body of unknown length, which `read` gives piece by piece.
static inline struct MHD_Response *haul_mhd_stream(
    MHD_ContentReaderCallback read, void *cls, MHD_ContentReaderFreeCallback done)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 32 * 1024, read, cls, done);
}

static inline bool haul_mhd_is_start(enum MHD_ConnectionNotificationCode code)
{
    return code == MHD_CONNECTION_NOTIFY_STARTED;
}

static inline void haul_mhd_each_header(struct MHD_Connection *c, MHD_KeyValueIteratorN each, void *cls)
{
    MHD_get_connection_values_n(c, MHD_HEADER_KIND, each, cls);
}

/// The first value of a header field of the request, as far as it was read, or NULL.
static inline const char *haul_mhd_header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/// In the URI log callback: leaves libmicrohttpd a query without pairs. It parses them after the callback, in place, in
/// the connection's own read buffer.
static inline void haul_mhd_drop_query(const char *target)
{
    char *query = strchr((char *)target, '?');
    if (query && query[1])
        query[1] = '\0';
}

static inline ssize_t haul_mhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t haul_mhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

/// Bytes that ever arrived at a TCP socket (tcp(7), TCP_INFO), or 0.
static inline uint64_t haul_tcp_received(int fd)
{
    // glibc's struct tcp_info ends before the field; this is the kernel's layout (linux/tcp.h).
    uint8_t info[136];
    socklen_t size = sizeof info;
    uint64_t received = 0;
    memset(info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &size) == 0 && size >= sizeof info)
        memcpy(&received, info + 128, sizeof received);
    return received;
}

/// Bytes that wait unread at a socket.
static inline int haul_unread(int fd)
{
    int n = 0;
    return ioctl(fd, FIONREAD, &n) == 0 ? n : 0;
}

/// poll(2)'s event for a peer that closed its side, also behind bytes that wait unread.
static inline short haul_poll_left(void) { return 0x2000; /* POLLRDHUP, which glibc hides from modules */ }
