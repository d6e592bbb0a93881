// The BLAS behind fixed signatures: row-major single precision only, one thread a call.
#ifndef SRS_CBLAS_H
#define SRS_CBLAS_H
#include <stdbool.h>

/// Puts the library into single-thread mode. The engine cuts work into tiles and gives a thread to each;
/// a BLAS that starts threads of its own would both slow it down and change the order of sums.
void srs_blas_setup(void);

/// Name of the kernels the library chose for this processor, e.g. "Cooperlake".
const char *srs_blas_kernels(void);

/// C (m x n) = op(A) (m x k) * op(B) (k x n) + beta * C, all row-major with leading dimensions.
void srs_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
               int ldb, float beta, float *c, int ldc);
#endif
