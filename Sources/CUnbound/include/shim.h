#ifndef POSTERN_CUNBOUND_SHIM_H
#define POSTERN_CUNBOUND_SHIM_H
#include <unbound.h>
#endif
