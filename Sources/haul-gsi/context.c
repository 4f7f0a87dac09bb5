// Names, credentials and steps of GSSAPI (RFC 2744).
#include "gsi.h"

#include <stdlib.h>
#include <string.h>

// The proxy's file is the worker's own business: what names it is told without it.
static void without_file(char *text) {
    const char *file = getenv("X509_USER_PROXY");
    size_t length = file != NULL ? strlen(file) : 0;
    for (char *found = length > 0 ? strstr(text, file) : NULL; found != NULL; found = strstr(found, file)) {
        *found = '*';
        memmove(found + 1, found + length, strlen(found + length) + 1);
    }
}

void gsi_fail(int code, const char *what, OM_uint32 major, OM_uint32 minor) {
    char *text = globus_error_print_friendly(globus_error_peek((globus_result_t)minor));
    if (text != NULL) without_file(text);
    // A line of its own, with what the library meant as text.
    for (char *scan = text; scan != NULL && *scan != 0; scan++) {
        if ((unsigned char)*scan < ' ' || (unsigned char)*scan > '~') *scan = ' ';
    }
    fail(code, "%s: %s (GSS %08x)", what, text != NULL ? text : "no reason given", major);
}

gss_cred_id_t gsi_credential(void) {
    OM_uint32 minor, lifetime = 0;
    const char *file = getenv("X509_USER_PROXY");
    if (file == NULL || *file == 0) fail(EXIT_CREDENTIAL, "the proxy cannot be used: X509_USER_PROXY is not set");
    // This file and nothing else: gss_acquire_cred would go on to the certificates of the host and of the account.
    buffer_t text = {0};
    buffer_append(&text, "X509_USER_PROXY=", 16);
    buffer_append(&text, file, strlen(file) + 1);
    gss_buffer_desc source = {.length = buffer_count(&text), .value = buffer_head(&text)};
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
    OM_uint32 major = gss_import_cred(&minor, &credential, GSS_C_NO_OID, 1, &source, 0, &lifetime);
    free(text.bytes);
    if (GSS_ERROR(major)) gsi_fail(EXIT_CREDENTIAL, "the proxy cannot be used", major, minor);
    major = gss_inquire_cred(&minor, credential, NULL, &lifetime, NULL, NULL);
    if (GSS_ERROR(major)) gsi_fail(EXIT_CREDENTIAL, "the proxy cannot be used", major, minor);
    if (lifetime == 0) fail(EXIT_CREDENTIAL, "the proxy has expired");
    return credential;
}

static gss_name_t import(const char *text, gss_OID type) {
    OM_uint32 minor;
    gss_name_t name = GSS_C_NO_NAME;
    gss_buffer_desc buffer = {.length = strlen(text), .value = (void *)text};
    OM_uint32 major = gss_import_name(&minor, &buffer, type, &name);
    if (GSS_ERROR(major)) gsi_fail(EXIT_USAGE, text, major, minor);
    return name;
}

gss_name_t gsi_host_name(const char *host) {
    char *text = malloc(strlen(host) + sizeof "host@");
    if (text == NULL) fail(EXIT_BROKEN, "no memory");
    strcpy(text, "host@");
    strcat(text, host);
    gss_name_t name = import(text, GSS_C_NT_HOSTBASED_SERVICE);
    free(text);
    return name;
}

gss_name_t gsi_subject_name(const char *subject) { return import(subject, GSS_C_NT_USER_NAME); }

gss_name_t gsi_own_name(gss_cred_id_t credential) {
    OM_uint32 minor;
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 major = gss_inquire_cred(&minor, credential, &name, NULL, NULL, NULL);
    if (GSS_ERROR(major)) gsi_fail(EXIT_CREDENTIAL, "the proxy has no subject", major, minor);
    return name;
}

bool gsi_step(gss_ctx_id_t *context, gss_cred_id_t credential, gss_name_t target, OM_uint32 flags,
              gss_buffer_t input, gss_buffer_t output) {
    OM_uint32 minor;
    OM_uint32 major = gss_init_sec_context(&minor, credential, context, target, GSS_C_NO_OID, flags, 0,
                                           GSS_C_NO_CHANNEL_BINDINGS, input, NULL, output, NULL, NULL);
    if (GSS_ERROR(major)) gsi_fail(EXIT_AUTH, "the handshake failed", major, minor);
    return major & GSS_S_CONTINUE_NEEDED;
}
