// GSSAPI (RFC 2744) with X.509 proxies: Grid Community Toolkit.
#include <gssapi.h>
