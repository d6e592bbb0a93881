// Fused row-wise kernels that run before and after the matrix products.
//
// They are written in C because a C compiler can build each of them three times (AVX-512, AVX2, baseline x86-64) and let
// the loader choose at run time; Swift cannot. A binary built for the baseline therefore runs on any machine and is still
// fast. The tests compare the kernels with plain Swift versions. Reductions use sixteen partial sums in a fixed order on
// every processor.
//
// Matrices are row-major. `rows` x `c` means contiguous rows of `c` channels each; activations are time-major (T, B, C), so
// a row is one position of one sequence. Pointers need no alignment. Outputs must not overlap inputs unless a comment
// allows it.
#ifndef SRS_CKERNELS_H
#define SRS_CKERNELS_H
#include <stddef.h>
#include <stdint.h>

/// The instruction set that the kernels use on this machine: "avx512", "avx2" or "baseline".
const char *srs_vector_isa(void);

/// y += a * x
void srs_axpy(float *y, const float *x, float a, size_t n);
/// y = x * a
void srs_scale(float *y, const float *x, float a, size_t n);
/// Returns the sum of x[i] * y[i].
float srs_dot(const float *x, const float *y, size_t n);
/// Sets *above to the number of x[i] that are larger than t or NaN, and *equal to the number of x[i] equal to t.
void srs_count_above(const float *x, size_t n, float t, size_t *above, size_t *equal);

/// Counts, for ranking, the scores x (rows x 64) + shift (64) in columns [from, to): adds to above[r] how many are larger
/// than own[r] or NaN, and to equal[r] how many equal own[r].
void srs_count_panel(size_t rows, const float *x, const float *shift, const float *own, size_t from, size_t to,
                     int32_t *above, int32_t *equal);

/// z = x + bias; xhat = (z - mean) * rstd; y = relu(gamma * xhat + beta). `xhat` may be `x`.
void srs_norm_relu(size_t rows, size_t c, const float *x, const float *bias, const float *gamma, const float *beta,
                   float epsilon, float *xhat, float *rstd, float *y);
/// y = relu(gamma * x + beta), bit-identical to the last step of srs_norm_relu, to recompute its output from `xhat`.
void srs_affine_relu(size_t rows, size_t c, const float *x, const float *gamma, const float *beta, float *y);
/// srs_norm_relu followed by the residual sum: out = skip + alpha * y.
void srs_norm_relu_residual(size_t rows, size_t c, const float *x, const float *bias, const float *gamma,
                            const float *beta, float epsilon, float *xhat, float *rstd, const float *skip, float alpha,
                            float *out);
/// Backward pass of srs_norm_relu: sets dx from dy and adds to dgamma, dbeta, dbias. `dx` may be `dy`.
void srs_norm_relu_backward(size_t rows, size_t c, const float *dy, const float *xhat, const float *rstd,
                            const float *gamma, const float *beta, float *dx, float *dgamma, float *dbeta,
                            float *dbias);
/// Backward pass of srs_norm_relu_residual for the gradient dout of `out`: sets dx, the gradient of x; adds to dgamma, dbeta,
/// dbias; returns the gradient of alpha. The gradient of `skip` is dout itself.
float srs_norm_relu_residual_backward(size_t rows, size_t c, const float *dout, const float *xhat, const float *rstd,
                                      const float *gamma, const float *beta, float alpha, float *dx, float *dgamma,
                                      float *dbeta, float *dbias);

/// x *= m
void srs_multiply(float *x, const float *m, size_t n);
/// x = relu(x + bias), in place.
void srs_bias_relu(size_t rows, size_t c, float *x, const float *bias);
/// Backward pass of srs_bias_relu from its output y: dy = y > 0 ? scale * dy : 0, in place; adds to dbias. `scale` is the
/// factor by which dropout multiplied the values of y that it kept, and 1 without dropout.
void srs_relu_backward(size_t rows, size_t c, float *dy, const float *y, float scale, float *dbias);
/// xhat = norm(x + alpha * u), y = gamma * xhat + beta; `u` may be null. `xhat` may be `x`.
void srs_norm_sum(size_t rows, size_t c, const float *x, const float *u, float alpha, const float *gamma,
                  const float *beta, float epsilon, float *xhat, float *rstd, float *y);
/// Backward pass of srs_norm_sum: sets dx, the gradient of x, and du = alpha * dx, the gradient of u; adds to dgamma and
/// dbeta; returns the gradient of alpha. `dx` may be `dy`. When `u` is null, `du` is not used.
float srs_norm_sum_backward(size_t rows, size_t c, const float *dy, const float *xhat, const float *rstd,
                            const float *gamma, const float *u, float alpha, float *dx, float *du, float *dgamma,
                            float *dbeta);
/// out[j] = x . table[rows[j]], for a table of rows of n floats.
void srs_gather_dots(const float *x, const float *table, const int32_t *rows, size_t count, size_t n, float *out);
/// y += sum over j of w[j] * table[rows[j]]
void srs_gather_sum(float *y, const float *table, const int32_t *rows, const float *w, size_t count, size_t n);
/// table[rows[j]] += w[j] * x, in the order of j.
void srs_scatter_add(float *table, const int32_t *rows, const float *w, const float *x, size_t count, size_t n);
/// x = exp(x - top); returns the sum.
float srs_exp_sum(float *x, float top, size_t n);
/// y = 1 / (1 + exp(-x))
void srs_sigmoid(float *y, const float *x, size_t n);
/// y = x * sigmoid(x)
void srs_silu(float *y, const float *x, size_t n);
/// dy *= d silu(x) / dx
void srs_silu_backward(float *dy, const float *x, size_t n);
/// y = x + s * a
void srs_gated_add(float *y, const float *x, const float *s, const float *a, size_t n);
/// The backward pass of srs_gated_add, s being the sigmoid of z: da = dy * s, dz = dy * a * s * (1 - s).
void srs_gated_add_backward(const float *dy, const float *s, const float *a, float *da, float *dz, size_t n);
/// y = x * Phi(x), the exact GELU, with an absolute error of Phi below 2e-7.
void srs_gelu(float *y, const float *x, size_t n);
/// dy *= d gelu(x) / dx
void srs_gelu_backward(float *dy, const float *x, size_t n);

/// Causal attention of one sequence, for each head: p = softmax(q k^T / sqrt(dh)) over positions j <= i,
/// out = (p * mask) v. q, k, v and out are (T, heads * dh) with row t at t * stride, because a sequence of a time-major
/// batch is not contiguous. p is (heads, T, width), where width is T rounded up to 16. The dropout mask is (heads, T, T)
/// or null. `scratch` has (dh + T) * width + T * dh floats.
void srs_attention(size_t T, size_t heads, size_t dh, size_t stride, const float *q, const float *k, const float *v,
                   const float *mask, float *p, float *out, float *scratch);
/// Backward pass of srs_attention; overwrites dq, dk and dv. `scratch` has (dh + 2 T) * width + T * dh floats.
void srs_attention_backward(size_t T, size_t heads, size_t dh, size_t stride, const float *q, const float *k,
                            const float *v, const float *mask, const float *p, const float *dout, float *dq,
                            float *dk, float *dv, float *scratch);
/// A dropout mask of n multipliers: 0 where the word of the Philox stream with this key, at `position`, is below
/// `threshold`, else `kept`. With rate p, threshold is p * 2^32 and kept is 1 / (1 - p).
void srs_dropout_mask(float *mask, size_t n, uint32_t key0, uint32_t key1, uint64_t position, uint32_t threshold,
                      float kept);

/// C (m x n) = A (m x k) B (k x n) [+ C] for n a multiple of 16.
void srs_product(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
                 size_t ldc, int add);
/// C (m x n) = A^T (A is k x m) B (k x n) [+ C] for n a multiple of 16.
void srs_product_left(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
                      size_t ldc, int add);
/// C (m x n) = the sum over up to three terms of A (m x k) B (k x n) [+ C], for n a multiple of 16. All matrices are
/// contiguous.
void srs_product_sum(size_t terms, size_t m, size_t n, size_t k, const float *const *a, const float *const *b, float *c,
                     int add);
/// y (columns x rows) = x^T, x (rows x columns).
void srs_transpose(size_t rows, size_t columns, const float *x, size_t ldx, float *y, size_t ldy);

/// Minimal filtering F(4, 3), see filtering.inc.h. Computes g = G w for taps w (3 x n): the four transformed filters
/// g (4 x n) that are not taps themselves.
void srs_filter_weights(size_t n, const float *w, float *g);
/// The transpose of srs_filter_weights: adds G' g to w.
void srs_filter_weights_transposed(size_t n, const float *g, float *w);
/// u = B' x: transforms six neighbouring inputs of n values each into the left sides of six matrix products, which lie
/// `plane` floats apart.
void srs_filter_input(size_t n, const float *const *x, float *u, size_t plane);
/// The transpose of srs_filter_input: adds B u to the six inputs.
void srs_filter_input_transposed(size_t n, const float *u, size_t plane, float *const *x);
/// y = A' m: transforms six matrix products, `plane` floats apart, into four neighbouring outputs of n values each.
void srs_filter_output(size_t n, const float *m, size_t plane, float *const *y);
/// The transpose of srs_filter_output: m = A y.
void srs_filter_output_transposed(size_t n, const float *const *y, float *m, size_t plane);

/// x += bias, the same bias (c) for every row, in place.
void srs_add_bias(size_t rows, size_t c, float *x, const float *bias);
/// Adds the sum of the rows of x to out (c).
void srs_sum_rows(size_t rows, size_t c, const float *x, float *out);

/// One panel of 64 columns of an online softmax. On entry x (rows x 64) contains logits without `shift` (64); on exit it
/// contains exp(x + shift - base[r]), where base[r] is the largest logit of row r up to this panel. `top` (rows) is the
/// running maximum and `sums` (rows x 16) are the running partial sums of the exponentials; both are updated. When
/// `column[r] - first` is a column of the panel, the logit of that column (the target's) is written to at[r]; if `at` is
/// null, that column is excluded instead. Columns whose shift is minus infinity are excluded as well.
void srs_softmax_panel(size_t rows, float *x, const float *shift, const int32_t *column, size_t first, float *at,
                       float *top, float *sums, float *base);
/// sums[r] = the sum of the sixteen partial sums of row r; (rows x 16) becomes (rows), in place.
void srs_softmax_sums(size_t rows, float *sums);
/// The gradient of the logits of a panel, from the exponentials that srs_softmax_panel left in x:
/// x = scale[r] * exp(logit - top[r]), minus w[r] in the target's column; adds the column sums to `dshift` (64). `target` may
/// be null.
void srs_softmax_gradient(size_t rows, float *x, const float *base, const float *top, const float *scale,
                          const int32_t *target, size_t first, const float *w, float *dshift);

/// One Adam step (Kingma and Ba, 2015) on n parameters p with moments m and v, where t is the bias-correction step:
/// g' = gscale * g + decay * p, m = beta1 m + (1 - beta1) g', v = beta2 v + (1 - beta2) g'^2,
/// p -= rate * m / (sqrt(v) * correction + epsilon), with rate = lr / (1 - beta1^t) and
/// correction = 1 / sqrt(1 - beta2^t).
void srs_adam(size_t n, float *p, float *m, float *v, const float *g, float gscale, float decay, float rate,
              float beta1, float beta2, float epsilon, float correction);
#endif
