#ifndef POSTERN_CMILTER_SHIM_H
#define POSTERN_CMILTER_SHIM_H
#include <libmilter/mfapi.h>
#endif
