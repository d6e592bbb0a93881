// Fused row-wise kernels that stand around the matrix products.
//
// They are C because the compiler can build each one three times (AVX-512, AVX2, baseline x86-64) and pick at run
// time, which Swift cannot; a baseline binary therefore runs anywhere and is still fast. The plain Swift versions in
// the tests are the oracle. Reductions use sixteen partial sums in a fixed order on every processor.
//
// Rows are contiguous, `c` channels each. All pointers may be unaligned; outputs may not overlap inputs unless said.
#ifndef SRS_CKERNELS_H
#define SRS_CKERNELS_H
#include <stddef.h>
#include <stdint.h>

/// Instruction set the kernels run on: "avx512", "avx2" or "baseline".
const char *srs_vector_isa(void);

/// y += a * x
void srs_axpy(float *y, const float *x, float a, size_t n);
/// y = x * a
void srs_scale(float *y, const float *x, float a, size_t n);
/// sum of x[i] * y[i]
float srs_dot(const float *x, const float *y, size_t n);
/// number of x[i] above t, or not a number, into *above, number of x[i] == t into *equal
void srs_count_above(const float *x, size_t n, float t, size_t *above, size_t *equal);

/// Of columns `from` to below `to` of each row, x (rows x 64) + shift: adds how many are above own[r], or not a number,
/// and how many equal it.
void srs_count_panel(size_t rows, const float *x, const float *shift, const float *own, size_t from, size_t to,
                     int32_t *above, int32_t *equal);

/// z = x + bias; xhat = (z - mean) * rstd; y = relu(gamma * xhat + beta). `xhat` may be `x`.
void srs_norm_relu(size_t rows, size_t c, const float *x, const float *bias, const float *gamma, const float *beta,
                   float epsilon, float *xhat, float *rstd, float *y);
/// y = relu(gamma * x + beta): the end of srs_norm_relu again, to the last bit.
void srs_affine_relu(size_t rows, size_t c, const float *x, const float *gamma, const float *beta, float *y);
/// As srs_norm_relu, then out = skip + alpha * relu(...).
void srs_norm_relu_residual(size_t rows, size_t c, const float *x, const float *bias, const float *gamma,
                            const float *beta, float epsilon, float *xhat, float *rstd, const float *skip, float alpha,
                            float *out);
/// Backward of srs_norm_relu: dx from dy; adds to dgamma, dbeta, dbias. `dx` may be `dy`.
void srs_norm_relu_backward(size_t rows, size_t c, const float *dy, const float *xhat, const float *rstd,
                            const float *gamma, const float *beta, float *dx, float *dgamma, float *dbeta,
                            float *dbias);
/// Backward of the residual form: dx is the gradient of the norm's input for d(out) = dout; returns d(alpha).
float srs_norm_relu_residual_backward(size_t rows, size_t c, const float *dout, const float *xhat, const float *rstd,
                                      const float *gamma, const float *beta, float alpha, float *dx, float *dgamma,
                                      float *dbeta, float *dbias);

/// x *= m
void srs_multiply(float *x, const float *m, size_t n);
/// x = relu(x + bias), in place.
void srs_bias_relu(size_t rows, size_t c, float *x, const float *bias);
/// dy = y > 0 ? scale * dy : 0, in place; adds to dbias. `scale` undoes what dropout left of y.
void srs_relu_backward(size_t rows, size_t c, float *dy, const float *y, float scale, float *dbias);
/// xhat = norm(x + alpha * u), y = gamma * xhat + beta; `u` may be null. `xhat` may be `x`.
void srs_norm_sum(size_t rows, size_t c, const float *x, const float *u, float alpha, const float *gamma,
                  const float *beta, float epsilon, float *xhat, float *rstd, float *y);
/// Backward of srs_norm_sum: dx the gradient of x, du = alpha * dx that of u; adds to dgamma and dbeta; returns
/// d(alpha). `dx` may be `dy`; without `u` there is no `du`.
float srs_norm_sum_backward(size_t rows, size_t c, const float *dy, const float *xhat, const float *rstd,
                            const float *gamma, const float *u, float alpha, float *dx, float *du, float *dgamma,
                            float *dbeta);
/// y = x * Phi(x), the exact GELU to 2e-7.
void srs_gelu(float *y, const float *x, size_t n);
/// dy *= d gelu(x) / dx
void srs_gelu_backward(float *dy, const float *x, size_t n);

/// Causal attention of one sequence: p = softmax(q k^T / sqrt(dh)) over the past, out = (p * mask) v, head by head.
/// Row t stands at t * stride; p is (heads, T, T rounded up to 16); mask (heads, T, T) or null.
/// `scratch`: (dh + T) * width + T * dh floats.
void srs_attention(size_t T, size_t heads, size_t dh, size_t stride, const float *q, const float *k, const float *v,
                   const float *mask, float *p, float *out, float *scratch);
/// Its backward; dq, dk and dv are overwritten. `scratch`: (dh + 2 T) * width + T * dh floats.
void srs_attention_backward(size_t T, size_t heads, size_t dh, size_t stride, const float *q, const float *k,
                            const float *v, const float *mask, const float *p, const float *dout, float *dq,
                            float *dk, float *dv, float *scratch);
/// n multipliers, 0 where a word of the Philox stream `key` at `place` is below `threshold`, else `kept`.
void srs_dropout_mask(float *mask, size_t n, uint32_t key0, uint32_t key1, uint64_t place, uint32_t threshold,
                      float kept);

/// C (m x n) = A (m x k) B (k x n) [+ C] for n a multiple of 16.
void srs_product(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
                 size_t ldc, int add);
/// C (m x n) = A^T (A is k x m) B (k x n) [+ C] for n a multiple of 16.
void srs_product_left(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
                      size_t ldc, int add);
/// C (m x n) = sum over up to three terms of A (m x k) B (k x n) [+ C] for n a multiple of 16, rows k and n apart.
void srs_product_sum(size_t terms, size_t m, size_t n, size_t k, const float *const *a, const float *const *b, float *c,
                     int add);
/// y (columns x rows) = x^T, x (rows x columns).
void srs_transpose(size_t rows, size_t columns, const float *x, size_t ldx, float *y, size_t ldy);

/// Minimal filtering F(4, 3), see filtering.inc.h: the four filters g (4 x n) that are not taps themselves, of w (3 x n).
void srs_filter_weights(size_t n, const float *w, float *g);
/// Its transpose, added to w.
void srs_filter_weights_turned(size_t n, const float *g, float *w);
/// Six neighbouring inputs of n values each become the left sides of six products, `plane` floats apart.
void srs_filter_input(size_t n, const float *const *x, float *u, size_t plane);
/// Its transpose, added to the six.
void srs_filter_input_turned(size_t n, const float *u, size_t plane, float *const *x);
/// Six products become four neighbouring outputs.
void srs_filter_output(size_t n, const float *m, size_t plane, float *const *y);
/// Its transpose.
void srs_filter_output_turned(size_t n, const float *const *y, float *m, size_t plane);

/// y = x + bias (row broadcast), in place.
void srs_add_bias(size_t rows, size_t c, float *x, const float *bias);
/// sum over rows of x into out (added).
void srs_sum_rows(size_t rows, size_t c, const float *x, float *out);

/// A panel of 64 columns of a softmax. On entry x (rows x 64) holds logits without `shift`, on exit exponentials against
/// `base[r]`: the largest logit of row r so far, which `top` holds; `sums` (rows x 16) are brought along. `column[r] -
/// first`, where it lies in the panel, is the target's column, whose logit goes to `at[r]`; without `at` it is one that
/// does not take part. Columns whose shift is minus infinity do not either.
void srs_softmax_panel(size_t rows, float *x, const float *shift, const int32_t *column, size_t first, float *at,
                       float *top, float *sums, float *base);
/// sums[r] = the sum of the sixteen partial sums of row r: (rows x 16) becomes (rows), in place.
void srs_softmax_sums(size_t rows, float *sums);
/// What `srs_softmax_panel` left becomes scale[r] * exp(logit - top[r]), minus w[r] in the target's column; adds the
/// columns' sums to `dshift` (64). `target` may be null.
void srs_softmax_gradient(size_t rows, float *x, const float *base, const float *top, const float *scale,
                          const int32_t *target, size_t first, const float *w, float *dshift);

/// Adam on n values: m, v moments; `rate` = lr / (1 - beta1^t), `correction` = 1 / sqrt(1 - beta2^t).
/// g is multiplied by `gscale` first; `decay` is the L2 coefficient added as decay * p.
void srs_adam(size_t n, float *p, float *m, float *v, const float *g, float gscale, float decay, float rate,
              float beta1, float beta2, float epsilon, float correction);
#endif
