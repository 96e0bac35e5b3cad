/// simdjson's DOM parser behind a handful of C functions.
///
/// A parser owns all its memory from the start: parsing allocates nothing. The result is simdjson's *tape* (see
/// `doc/tape.md` of simdjson), which the caller walks without further calls:
///
/// - The tape is an array of 64-bit words in document order. The top 8 bits of a word are its type, the lower 56 its
///   payload.
/// - `r` root, first and last word; word 1 is the document's only value.
/// - `{` `[` start of an object or array: bits 0…31 are the index of the word after its end, bits 32…55 the number of
///   members (0xFFFFFF: that many or more). `}` `]` its end.
/// - `"` text or key: the payload is an offset into the strings; there, 4 bytes of length (native order), the unescaped
///   UTF-8 bytes, and a zero byte. At least 32 bytes after it can be read.
/// - `l` `u` `d` a number: the next word holds it as int64, as uint64 (only when it does not fit int64), or as double.
/// - `t` `f` `n` true, false, null.
/// - An object is a sequence of key, value, key, value…
#ifndef QUANTRAC_CSIMDJSON_H
#define QUANTRAC_CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What became of a document.
enum {
    /// The tape holds it.
    CSIMDJSON_OK = 0,
    /// It breaks JSON's grammar.
    CSIMDJSON_NOT_JSON = 1,
    /// It is not UTF-8. (Which of two errors of one document is found may depend on the processor: see
    /// `csimdjson_is_utf8`.)
    CSIMDJSON_NOT_UTF8 = 2,
    /// Its arrays and objects lie deeper than the parser was made for. Empty ones are not counted by simdjson.
    CSIMDJSON_TOO_DEEP = 3,
    /// One of its numbers is malformed, or is an integer beyond 64 bits, or is not finite as a double.
    CSIMDJSON_NUMBER = 4,
    /// It has more bytes than the parser was made for.
    CSIMDJSON_TOO_LARGE = 5,
    /// There was no memory.
    CSIMDJSON_NO_MEMORY = 6,
};

/// A parser with its buffers. Not for use by two threads at once.
typedef struct csimdjson_parser csimdjson_parser;

/// Makes a parser for documents of at most `bytes_max` bytes whose non-empty arrays and objects nest at most
/// `depth_max` deep. NULL when there is no memory.
csimdjson_parser *csimdjson_parser_create(size_t bytes_max, size_t depth_max);

/// Frees a parser; NULL is allowed.
void csimdjson_parser_destroy(csimdjson_parser *parser);

/// Parses a document and returns one of the codes above. The bytes are copied; the tape is valid until the next call.
int32_t csimdjson_parser_parse(csimdjson_parser *parser, const void *bytes, size_t length);

/// The tape's words; the address never changes. The caller may write to it, too.
uint64_t *csimdjson_parser_tape(csimdjson_parser *parser);

/// The strings that the tape refers to; the address never changes.
const uint8_t *csimdjson_parser_strings(csimdjson_parser *parser);

/// What simdjson said of the last document, in its own words; never freed.
const char *csimdjson_parser_message(const csimdjson_parser *parser);

/// Whether the bytes are valid UTF-8.
bool csimdjson_is_utf8(const void *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
