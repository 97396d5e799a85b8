#ifndef POSTERN_COPENDKIM_SHIM_H
#define POSTERN_COPENDKIM_SHIM_H
#include <sys/types.h>
#include <opendkim/dkim.h>
#endif
