// OpenBLAS behind fixed signatures: row-major matrices in single precision, one thread per call.
#ifndef SRS_CBLAS_H
#define SRS_CBLAS_H
#include <stdbool.h>

/// Makes the library run every call on one thread. The engine splits a batch into tiles and runs the tiles on its own
/// threads; threads of the BLAS would slow it down and change the order of sums.
void srs_blas_setup(void);

/// The name of the kernels that the library chose for this processor, for example "Cooperlake".
const char *srs_blas_kernels(void);

/// C (m x n) = op(A) (m x k) op(B) (k x n) + beta C, where op transposes if asked to; lda, ldb and ldc are the distances
/// between rows.
void srs_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
               int ldb, float beta, float *c, int ldc);
#endif
