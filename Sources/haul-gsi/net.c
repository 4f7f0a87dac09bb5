// Sockets and bytes that wait.
#include "gsi.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void buffer_append(buffer_t *buffer, const void *bytes, size_t count) {
    if (buffer->room - buffer->end < count) {
        memmove(buffer->bytes, buffer_head(buffer), buffer_count(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
        if (buffer->room - buffer->end < count) {
            buffer->room = (buffer->end + count) * 2;
            buffer->bytes = realloc(buffer->bytes, buffer->room);
            if (buffer->bytes == NULL) fail(EXIT_BROKEN, "no memory for %zu bytes", buffer->room);
        }
    }
    memcpy(buffer->bytes + buffer->end, bytes, count);
    buffer->end += count;
}

void buffer_drop(buffer_t *buffer, size_t count) {
    buffer->start += count;
    if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
}

// 0, or errno.
static int attempt(int handle, const struct addrinfo *address) {
    net_nonblocking(handle);
    if (connect(handle, address->ai_addr, address->ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    struct pollfd ready = {.fd = handle, .events = POLLOUT};
    if (poll(&ready, 1, STEP_SECONDS * 1000) != 1) return ETIMEDOUT;
    int code = 0;
    socklen_t length = sizeof code;
    getsockopt(handle, SOL_SOCKET, SO_ERROR, &code, &length);
    return code;
}

int net_connect(const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int unknown = getaddrinfo(host, port, &hints, &found);
    if (unknown != 0) fail(EXIT_CONNECT, "%s: %s", host, gai_strerror(unknown));
    int code = EHOSTUNREACH;
    for (struct addrinfo *address = found; address != NULL; address = address->ai_next) {
        int handle = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);
        if (handle < 0) continue;
        code = attempt(handle, address);
        if (code == 0) {
            int on = 1;
            setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            setsockopt(handle, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
            freeaddrinfo(found);
            return handle;
        }
        close(handle);
    }
    fail(EXIT_CONNECT, "%s port %s: %s", host, port, strerror(code));
}

void net_peer(int handle, char *text, size_t room) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getpeername(handle, (struct sockaddr *)&address, &length) != 0
        || getnameinfo((struct sockaddr *)&address, length, text, (socklen_t)room, NULL, 0, NI_NUMERICHOST) != 0) {
        fail(EXIT_CONNECT, "the connection broke: its other end is not known");
    }
}

// Waits for a step of the handshake.
static void await_ready(int handle, short event) {
    struct pollfd ready = {.fd = handle, .events = event};
    if (poll(&ready, 1, STEP_SECONDS * 1000) != 1) fail(EXIT_CONNECT, "no answer within %d s", STEP_SECONDS);
}

void net_write(int handle, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(handle, bytes, count);
        if (written < 0 && errno == EAGAIN) {
            await_ready(handle, POLLOUT);
        } else if (written < 0 && errno != EINTR) {
            fail(EXIT_CONNECT, "the connection broke: %s", strerror(errno));
        } else if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        }
    }
}

size_t net_read(int handle, char *bytes, size_t most) {
    while (true) {
        await_ready(handle, POLLIN);
        ssize_t count = read(handle, bytes, most);
        if (count > 0) return (size_t)count;
        if (count == 0) fail(EXIT_CONNECT, "the server closed the connection");
        if (errno != EINTR && errno != EAGAIN) fail(EXIT_CONNECT, "the connection broke: %s", strerror(errno));
    }
}

void net_nonblocking(int descriptor) { fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK); }

bool net_flush(int descriptor, buffer_t *outbox) {
    while (buffer_count(outbox) > 0) {
        ssize_t written = write(descriptor, buffer_head(outbox), buffer_count(outbox));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno == EAGAIN;
        buffer_drop(outbox, (size_t)written);
    }
    return true;
}

ssize_t net_fill(int descriptor, buffer_t *inbox) {
    static char chunk[1 << 18];
    while (true) {
        ssize_t count = read(descriptor, chunk, sizeof chunk);
        if (count > 0) buffer_append(inbox, chunk, (size_t)count);
        if (count >= 0) return count;
        if (errno == EAGAIN) return -1;
        if (errno != EINTR) return 0;
    }
}
