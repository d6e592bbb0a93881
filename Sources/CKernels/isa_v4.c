#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define ISA v4
#include "kernels.inc.h"
#include "products.inc.h"
#include "softmax.inc.h"
#include "filtering.inc.h"
#include "attention.inc.h"
#include "gather.inc.h"
#pragma clang attribute pop
#endif
