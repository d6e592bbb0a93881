#include "CBLAS.h"
#include <cblas.h>

void srs_blas_setup(void) { openblas_set_num_threads(1); }

const char *srs_blas_kernels(void) { return openblas_get_corename(); }

void srs_sgemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, int lda, const float *b,
               int ldb, float beta, float *c, int ldc) {
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, m, n, k,
              1.0f, a, lda, b, ldb, beta, c, ldc);
}
