#define ISA baseline
#include "kernels.inc.h"
#include "products.inc.h"
#include "softmax.inc.h"
#include "filtering.inc.h"
#include "attention.inc.h"
#include "gather.inc.h"
