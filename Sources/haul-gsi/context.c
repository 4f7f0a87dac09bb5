// Names, credentials and steps of GSSAPI (RFC 2744).
#include "gsi.h"

#include <stdlib.h>
#include <string.h>

void gsi_fail(int code, const char *what, OM_uint32 major, OM_uint32 minor) {
    char *text = globus_error_print_friendly(globus_error_peek((globus_result_t)minor));
    for (char *scan = text; scan != NULL && *scan != 0; scan++) {
        if (*scan == '\n' || *scan == '\r') *scan = ' ';
    }
    fail(code, "%s: %s (GSS %08x)", what, text != NULL ? text : "no reason given", major);
}

gss_cred_id_t gsi_credential(void) {
    OM_uint32 minor, lifetime = 0;
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
    OM_uint32 major =
        gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_INITIATE, &credential, NULL, &lifetime);
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
