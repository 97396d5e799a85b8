#ifndef POSTERN_CZLIB_SHIM_H
#define POSTERN_CZLIB_SHIM_H

#include <zlib.h>

/* deflateInit2 and inflateInit2 are macros. RFC 4978 wants raw deflate: no zlib header, hence the negative window bits. */
static inline int postern_deflate_init(z_stream *stream) {
    return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
}

static inline int postern_inflate_init(z_stream *stream) {
    return inflateInit2(stream, -15);
}

#endif
