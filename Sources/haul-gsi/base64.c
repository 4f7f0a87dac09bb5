// Base64, RFC 4648.
#include "gsi.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append(buffer_t *target, const unsigned char *bytes, size_t count) {
    for (size_t index = 0; index < count; index += 3) {
        unsigned value = (unsigned)bytes[index] << 16;
        if (index + 1 < count) value |= (unsigned)bytes[index + 1] << 8;
        if (index + 2 < count) value |= bytes[index + 2];
        char group[4] = {
            digits[value >> 18], digits[value >> 12 & 63], index + 1 < count ? digits[value >> 6 & 63] : '=',
            index + 2 < count ? digits[value & 63] : '=',
        };
        buffer_append(target, group, sizeof group);
    }
}

static int digit(char character) {
    if (character >= 'A' && character <= 'Z') return character - 'A';
    if (character >= 'a' && character <= 'z') return character - 'a' + 26;
    if (character >= '0' && character <= '9') return character - '0' + 52;
    return character == '+' ? 62 : character == '/' ? 63 : -1;
}

ssize_t base64_decode(unsigned char *target, const char *text, size_t count) {
    unsigned value = 0;
    int bits = 0;
    ssize_t decoded = 0;
    for (size_t index = 0; index < count && text[index] != '='; index++) {
        int found = digit(text[index]);
        if (found < 0) return -1;
        value = value << 6 | (unsigned)found;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            target[decoded++] = (unsigned char)(value >> bits & 255);
        }
    }
    return decoded;
}
