// libcurl for Swift: curl_easy_setopt and its kin are variadic, which Swift can't call.
#pragma once
#include <curl/curl.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static inline CURLcode haul_curl_set_long(CURL *c, CURLoption o, long v) { return curl_easy_setopt(c, o, v); }
static inline CURLcode haul_curl_set_text(CURL *c, CURLoption o, const char *v) { return curl_easy_setopt(c, o, v); }
static inline CURLcode haul_curl_set_pointer(CURL *c, CURLoption o, void *v) { return curl_easy_setopt(c, o, v); }

static inline CURLcode haul_curl_set_headers(CURL *c, struct curl_slist *v)
{
    return curl_easy_setopt(c, CURLOPT_HTTPHEADER, v);
}

/// The body is copied; it may hold NULs.
static inline CURLcode haul_curl_set_body(CURL *c, const void *bytes, int64_t size)
{
    CURLcode r = curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    return r == CURLE_OK ? curl_easy_setopt(c, CURLOPT_COPYPOSTFIELDS, bytes) : r;
}

typedef size_t (*haul_curl_data)(char *data, size_t size, size_t count, void *context);

/// `data` gets the body, `head` each header line; both with `context`.
static inline CURLcode haul_curl_set_callbacks(CURL *c, haul_curl_data data, haul_curl_data head, void *context)
{
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, data);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, context);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, head);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, context);
    return curl_easy_setopt(c, CURLOPT_PRIVATE, context);
}

static inline void *haul_curl_context(CURL *c)
{
    char *p = NULL;
    curl_easy_getinfo(c, CURLINFO_PRIVATE, &p);
    return p;
}

/// The next transfer that ended, or NULL; its result in `result`.
static inline CURL *haul_curl_ended(CURLM *m, CURLcode *result)
{
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(m, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        *result = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}

static inline CURLMcode haul_curl_set_idle_connections(CURLM *m, long count)
{
    return curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, count);
}

typedef int (*haul_curl_socket)(CURL *c, curl_socket_t socket, int what, void *context, void *own);
typedef int (*haul_curl_timer)(CURLM *m, long milliseconds, void *context);

/// `socket` is told what to wait for on a socket (CURL_POLL_...), `timer` when to come back at the latest.
static inline void haul_curl_set_watch(CURLM *m, haul_curl_socket socket, haul_curl_timer timer, void *context)
{
    curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, socket);
    curl_multi_setopt(m, CURLMOPT_SOCKETDATA, context);
    curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, timer);
    curl_multi_setopt(m, CURLMOPT_TIMERDATA, context);
}

// Swift's Glibc has neither epoll(7) nor eventfd(2).

static inline int haul_watch_open(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int haul_bell_open(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void haul_bell_ring(int bell) { eventfd_write(bell, 1); }

static inline void haul_bell_hush(int bell)
{
    eventfd_t rings;
    eventfd_read(bell, &rings);
}

/// Watches a socket for what libcurl waits for (CURL_POLL_...).
static inline int haul_watch_set(int watch, int socket, int what)
{
    struct epoll_event event = {.data.fd = socket};
    if (what == CURL_POLL_REMOVE)
        return epoll_ctl(watch, EPOLL_CTL_DEL, socket, &event);
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    return epoll_ctl(watch, EPOLL_CTL_MOD, socket, &event) && epoll_ctl(watch, EPOLL_CTL_ADD, socket, &event);
}

typedef struct { int socket, actions; } haul_ready;

/// Up to `most` sockets that are ready, each with what libcurl calls that (CURL_CSELECT_...); their count.
static inline int haul_watch_wait(int watch, haul_ready *ready, int most, int milliseconds)
{
    struct epoll_event events[64];
    int count = epoll_wait(watch, events, most < 64 ? most : 64, milliseconds);
    for (int i = 0; i < count; i++) {
        ready[i].socket = events[i].data.fd;
        ready[i].actions = (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0)
            | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
            | (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);
    }
    return count;
}

static inline size_t haul_curl_pause(void) { return CURL_WRITEFUNC_PAUSE; }
static inline CURLcode haul_curl_go_on(CURL *c) { return curl_easy_pause(c, CURLPAUSE_CONT); }
static inline CURLcode haul_curl_global(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode haul_curl_set_size(CURL *c, CURLoption o, int64_t v)
{
    return curl_easy_setopt(c, o, (curl_off_t)v);
}

typedef int (*haul_curl_seek)(void *context, curl_off_t offset, int origin);
typedef int (*haul_curl_before)(void *context, char *ip, char *own, int port, int own_port);

/// A body of `size` bytes that `read` brings; `seek` takes it back to its beginning where it is sent once more.
static inline CURLcode haul_curl_set_upload(
    CURL *c, int64_t size, haul_curl_data read, haul_curl_seek seek, void *context)
{
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, read);
    curl_easy_setopt(c, CURLOPT_READDATA, context);
    curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, seek);
    curl_easy_setopt(c, CURLOPT_SEEKDATA, context);
    return curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
}

typedef int (*haul_curl_progress)(void *context, curl_off_t size, curl_off_t received, curl_off_t length, curl_off_t sent);

/// `progress` runs as bytes move, and once a second; other than 0 it ends the transfer.
static inline CURLcode haul_curl_set_progress(CURL *c, haul_curl_progress progress, void *context)
{
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, context);
    return curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, progress);
}

/// `before` runs each time that the request is about to go out.
static inline CURLcode haul_curl_set_before(CURL *c, haul_curl_before before, void *context)
{
    curl_easy_setopt(c, CURLOPT_PREREQDATA, context);
    return curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, before);
}

/// Of a transfer that ended: a number, or 0.
static inline int64_t haul_curl_number(CURL *c, CURLINFO what)
{
    if ((what & CURLINFO_TYPEMASK) == CURLINFO_OFF_T) {
        curl_off_t n = 0;
        curl_easy_getinfo(c, what, &n);
        return (int64_t)n;
    }
    long n = 0;
    curl_easy_getinfo(c, what, &n);
    return n;
}

/// Where the request went.
static inline const char *haul_curl_url(CURL *c)
{
    char *url = NULL;
    curl_easy_getinfo(c, CURLINFO_EFFECTIVE_URL, &url);
    return url;
}

/// Where the server sends it on to; NULL for nowhere.
static inline const char *haul_curl_redirect(CURL *c)
{
    char *url = NULL;
    curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &url);
    return url;
}

/// Basic credentials (`user:password`) or a bearer token, and no other way of logging in.
static inline CURLcode haul_curl_set_secret(CURL *c, int is_bearer, const char *secret)
{
    curl_easy_setopt(c, CURLOPT_HTTPAUTH, is_bearer ? (long)CURLAUTH_BEARER : (long)CURLAUTH_BASIC);
    return curl_easy_setopt(c, is_bearer ? CURLOPT_XOAUTH2_BEARER : CURLOPT_USERPWD, secret);
}

static inline size_t haul_curl_abort_upload(void) { return CURL_READFUNC_ABORT; }
static inline size_t haul_curl_pause_upload(void) { return CURL_READFUNC_PAUSE; }
static inline int haul_curl_before_ok(void) { return CURL_PREREQFUNC_OK; }
