#pragma once
#include <sqlite3.h>

// Swift can't import functions with variable arguments. Counting all memory costs a lock at each allocation, over all
// connections; nobody reads the count.
static inline int haul_sqlite_configure(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

// Swift can't import SQLITE_TRANSIENT, which is a cast of -1 to a function pointer.
static inline int haul_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
    // SQLite takes a null pointer for NULL; an empty Swift string may come with one.
    return sqlite3_bind_text(statement, index, text ? text : "", length, SQLITE_TRANSIENT);
}
static inline int haul_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    return length == 0 ? sqlite3_bind_zeroblob(statement, index, 0)
                       : sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}
