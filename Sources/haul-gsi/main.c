// haul-gsi: authenticates a GridFTP connection with an X.509 proxy and is a plain pipe from then on.
//
//     haul-gsi control HOST PORT [SUBJECT]   the control connection (RFC 2228, RFC 959): commands on standard input,
//                                            replies on standard output, both plain; protected on the network
//     haul-gsi send HOST PORT [SUBJECT]      a data connection to a server's passive port, authenticated (DCAU A, or S
//     haul-gsi receive HOST PORT [SUBJECT]   with the SUBJECT that is expected), its bytes plain as PROT C has them
//     haul-gsi whoami                        the subject of the proxy
//
// The proxy is the file X509_USER_PROXY, the authorities are in X509_CERT_DIR. Nothing secret is in the arguments.
// Ends with 0 when the other side ends; else with a code of gsi.h and one text on standard error.
#include "gsi.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(int code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(code);
}

static int whoami(void) {
    OM_uint32 minor;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_display_name(&minor, gsi_own_name(gsi_credential()), &text, NULL);
    if (GSS_ERROR(major)) gsi_fail(EXIT_CREDENTIAL, "the proxy has no subject", major, minor);
    printf("%.*s\n", (int)text.length, (char *)text.value);
    return 0;
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    // One thread is enough, and none of the library's own may outlive a fork.
    globus_thread_set_model("none");
    globus_module_activate(GLOBUS_GSI_GSSAPI_MODULE);
    const char *mode = count > 1 ? arguments[1] : "";
    if (strcmp(mode, "whoami") == 0) return whoami();
    if (count < 4) fail(EXIT_USAGE, "usage: haul-gsi control|send|receive HOST PORT [SUBJECT], or haul-gsi whoami");
    const char *host = arguments[2], *subject = count > 4 ? arguments[4] : NULL;
    if (strcmp(mode, "control") == 0) return control_run(net_connect(host, arguments[3]), host, subject);
    if (strcmp(mode, "send") == 0) return data_run(net_connect(host, arguments[3]), subject, true);
    if (strcmp(mode, "receive") == 0) return data_run(net_connect(host, arguments[3]), subject, false);
    fail(EXIT_USAGE, "%s: there is no such mode", mode);
}
