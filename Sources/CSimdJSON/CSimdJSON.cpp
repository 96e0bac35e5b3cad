#include "CSimdJSON.h"

#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>

// simdjson's version is an enum, not a macro, so `#error` cannot guard it.
static_assert(
    simdjson::SIMDJSON_VERSION_MAJOR >= 3, "simdjson 3.0 or newer is needed: the layout of the tape is relied upon");

struct csimdjson_parser {
    simdjson::dom::parser parser;
    std::unique_ptr<uint8_t[]> padded;
    size_t bytes_max;
    simdjson::error_code error;

    explicit csimdjson_parser(size_t bytes_max)
        : parser(bytes_max), padded(nullptr), bytes_max(bytes_max), error(simdjson::UNINITIALIZED) {}
};

static int32_t code_of(simdjson::error_code error) {
    switch (error) {
    case simdjson::SUCCESS: return CSIMDJSON_OK;
    case simdjson::UTF8_ERROR: return CSIMDJSON_NOT_UTF8;
    case simdjson::DEPTH_ERROR: return CSIMDJSON_TOO_DEEP;
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE: return CSIMDJSON_NUMBER;
    case simdjson::CAPACITY: return CSIMDJSON_TOO_LARGE;
    case simdjson::MEMALLOC: return CSIMDJSON_NO_MEMORY;
    default: return CSIMDJSON_NOT_JSON;
    }
}

csimdjson_parser *csimdjson_parser_create(size_t bytes_max, size_t depth_max) {
    std::unique_ptr<csimdjson_parser> made(new (std::nothrow) csimdjson_parser(bytes_max));
    if (!made) return nullptr;
    made->padded.reset(new (std::nothrow) uint8_t[bytes_max + simdjson::SIMDJSON_PADDING]);
    if (!made->padded) return nullptr;
    // The padding is never part of a document, but the kernels read it.
    std::memset(made->padded.get(), ' ', bytes_max + simdjson::SIMDJSON_PADDING);
    // simdjson refuses at `depth >= max_depth`, so one more than the deepest that shall pass.
    if (made->parser.allocate(bytes_max, depth_max + 1) != simdjson::SUCCESS) return nullptr;
    // `allocate` leaves the document for the first parse; with it no parse allocates, and its addresses stay.
    if (made->parser.doc.allocate(bytes_max) != simdjson::SUCCESS) return nullptr;
    return made.release();
}

void csimdjson_parser_destroy(csimdjson_parser *parser) { delete parser; }

int32_t csimdjson_parser_parse(csimdjson_parser *parser, const void *bytes, size_t length) {
    if (length > parser->bytes_max) {
        parser->error = simdjson::CAPACITY;
        return CSIMDJSON_TOO_LARGE;
    }
    if (length > 0) std::memcpy(parser->padded.get(), bytes, length);
    simdjson::dom::element root;
    parser->error = parser->parser.parse(parser->padded.get(), length, /* realloc_if_needed */ false).get(root);
    return code_of(parser->error);
}

uint64_t *csimdjson_parser_tape(csimdjson_parser *parser) { return parser->parser.doc.tape.get(); }

const uint8_t *csimdjson_parser_strings(csimdjson_parser *parser) { return parser->parser.doc.string_buf.get(); }

const char *csimdjson_parser_message(const csimdjson_parser *parser) { return simdjson::error_message(parser->error); }

bool csimdjson_is_utf8(const void *bytes, size_t length) {
    return length == 0 || simdjson::validate_utf8(static_cast<const char *>(bytes), length);
}
