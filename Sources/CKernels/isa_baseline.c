#define ISA baseline
#include "kernels.inc.h"
#include "attention.inc.h"
