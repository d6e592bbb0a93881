#define ISA baseline
#include "kernels.inc.h"
#include "products.inc.h"
#include "attention.inc.h"
