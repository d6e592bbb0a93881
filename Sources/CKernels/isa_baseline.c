#define ISA baseline
#include "kernels.inc.h"
