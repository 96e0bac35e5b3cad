// libzstd, and nothing else. Only `TimeSeriesStore` imports this module.
#ifndef QUANTRAC_CZSTD_H
#define QUANTRAC_CZSTD_H

#include <zstd.h>

#if ZSTD_VERSION_NUMBER < 10400
#error "libzstd 1.4.0 or newer is needed (ZSTD_CCtx_setParameter is stable from there on)"
#endif

#endif
