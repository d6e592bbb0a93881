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
/// number of x[i] > t into *above, number of x[i] == t into *equal
void srs_count_above(const float *x, size_t n, float t, size_t *above, size_t *equal);
/// x = x * m (elementwise)
void srs_multiply(float *x, const float *m, size_t n);
/// Is every value finite?
int srs_all_finite(const float *x, size_t n);

/// z = x + bias; xhat = (z - mean) * rstd; y = relu(gamma * xhat + beta). `xhat` may be `x`.
void srs_norm_relu(size_t rows, size_t c, const float *x, const float *bias, const float *gamma, const float *beta,
                   float epsilon, float *xhat, float *rstd, float *y);
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

/// xhat = norm(x + alpha * u + bias-free); y = gamma * xhat + beta. `u` may be NULL (alpha is then ignored).
void srs_norm_sum(size_t rows, size_t c, const float *x, const float *u, float alpha, const float *gamma,
                  const float *beta, float epsilon, float *xhat, float *rstd, float *y);
/// Backward of srs_norm_sum: dx (gradient of the sum x + alpha u); adds to dgamma, dbeta. `dx` may be `dy`.
void srs_norm_sum_backward(size_t rows, size_t c, const float *dy, const float *xhat, const float *rstd,
                           const float *gamma, float *dx, float *dgamma, float *dbeta);

/// y = x + bias (row broadcast), in place.
void srs_add_bias(size_t rows, size_t c, float *x, const float *bias);
/// x = relu(x + bias), in place.
void srs_bias_relu(size_t rows, size_t c, float *x, const float *bias);
/// dx = dy where y > 0 else 0, in place over dy.
void srs_relu_backward(float *dy, const float *y, size_t n);
/// sum over rows of x into out (added).
void srs_sum_rows(size_t rows, size_t c, const float *x, float *out);
/// y = gelu(x), the exact form x * Phi(x) with the error function.
void srs_gelu(float *y, const float *x, size_t n);
/// dx = dy * gelu'(x), in place over dy.
void srs_gelu_backward(float *dy, const float *x, size_t n);
/// Softmax over each row's first c values, in place.
void srs_softmax_rows(size_t rows, size_t c, size_t stride, float *x);
/// dx = p * (dp - sum(p * dp)) for each row, in place over dp, times scale.
void srs_softmax_backward_rows(size_t rows, size_t c, size_t stride, const float *p, float *dp, float scale);

/// Cross-entropy of a full softmax. On entry x holds logits without bias; on exit
/// w[r] * (softmax - onehot(target)). Returns the sum of w[r] * loss[r].
double srs_cross_entropy(size_t rows, size_t c, float *x, const float *bias, const int32_t *target, const float *w);
/// Cross-entropy of [target logit | candidate logits]: x holds candidate logits (bias and correction added already,
/// removed ones -inf), t the target logits. On exit x and t hold the gradients times w. Returns the weighted loss.
double srs_cross_entropy_sampled(size_t rows, size_t c, float *x, float *t, const float *w);

/// Adam on n values: m, v moments; `rate` = lr / (1 - beta1^t), `correction` = 1 / sqrt(1 - beta2^t).
/// g is multiplied by `gscale` first; `decay` is the L2 coefficient added as decay * p.
void srs_adam(size_t n, float *p, float *m, float *v, const float *g, float gscale, float decay, float rate,
              float beta1, float beta2, float epsilon, float correction);
#endif
