// Anchors the target: everything is inline in include/shim.h.
#include "shim.h"
