// The row-wise kernels, written once. `isa_*.c` include this file with `ISA` set and a target attribute pushed, so that
// every function here, helpers included, is compiled for that instruction set. CKernels.h documents shapes and formulas.
#include "CKernels.h"
#include <math.h>

// The compiler may fuse products and sums across statements. A pragma requests this, not a compiler flag, because a Swift
// package with unsafe flags cannot be a dependency of another one.
#pragma clang fp contract(fast)

// Helpers that pass vectors by value are always inlined, so their calling convention never matters.
#pragma clang diagnostic ignored "-Wpsabi"

#define PASTE(name, isa) name##_##isa
#define PASTE2(name, isa) PASTE(name, isa)
#define KERNEL(name) PASTE2(name, ISA)
#define INLINE static inline __attribute__((always_inline))
#define LANES 16

typedef float v16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t i16 __attribute__((vector_size(64), aligned(4)));

INLINE v16 load(const float *p) { return *(const v16 *)p; }
INLINE void store(float *p, v16 x) { *(v16 *)p = x; }
// All lanes are listed because `(v16){} + x` would compile to an addition.
INLINE v16 splat(float x) { return (v16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
// Adds in a fixed tree, so that the order is the same on every processor.
INLINE float sum16(v16 x) {
  float a = (x[0] + x[8]) + (x[4] + x[12]), b = (x[1] + x[9]) + (x[5] + x[13]);
  float c = (x[2] + x[10]) + (x[6] + x[14]), d = (x[3] + x[11]) + (x[7] + x[15]);
  return (a + c) + (b + d);
}
INLINE v16 select(i16 mask, v16 a, v16 b) { return (v16)(((i16)a & mask) | ((i16)b & ~mask)); }
INLINE v16 max16(v16 a, v16 b) { return select(a > b, a, b); }

// exp by range reduction to [-ln2/2, ln2/2] and a polynomial of degree 6; relative error below 2e-7.
// Arguments below -87 give 0; arguments above 88 are clamped to 88.
INLINE v16 exp16(v16 x) {
  i16 zero = x < splat(-87.0f);
  x = select(x > splat(88.0f), splat(88.0f), x);
  x = select(zero, splat(0.0f), x);
  v16 k = x * splat(1.44269504088896341f);
  v16 magic = splat(12582912.0f);
  v16 n = (k + magic) - magic;
  v16 r = x - n * splat(0.693145751953125f);
  r = r - n * splat(1.42860682030941723e-6f);
  v16 p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  p = p * r * r + r + splat(1.0f);
  i16 e = __builtin_convertvector(n, i16);
  v16 two = (v16)((e + 127) << 23);
  return select(zero, splat(0.0f), p * two);
}

void KERNEL(srs_axpy)(float *y, const float *x, float a, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, load(y + i) + splat(a) * load(x + i));
  for (; i < n; i++) y[i] += a * x[i];
}

void KERNEL(srs_scale)(float *y, const float *x, float a, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, splat(a) * load(x + i));
  for (; i < n; i++) y[i] = a * x[i];
}

float KERNEL(srs_dot)(const float *x, const float *y, size_t n) {
  v16 s = splat(0);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) s += load(x + i) * load(y + i);
  float t = sum16(s);
  for (; i < n; i++) t += x[i] * y[i];
  return t;
}

void KERNEL(srs_count_above)(const float *x, size_t n, float t, size_t *above, size_t *equal) {
  i16 a = {}, e = {};
  v16 tv = splat(t);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    v16 v = load(x + i);
    a -= ~(v <= tv);
    e -= v == tv;
  }
  size_t ca = 0, ce = 0;
  for (int l = 0; l < LANES; l++) ca += (size_t)a[l], ce += (size_t)e[l];
  for (; i < n; i++) ca += !(x[i] <= t), ce += x[i] == t;
  *above = ca;
  *equal = ce;
}

void KERNEL(srs_count_panel)(size_t rows, const float *x, const float *shift, const float *own, size_t from, size_t to,
                             int32_t *above, int32_t *equal) {
  i16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (size_t r = 0; r < rows; r++) {
    v16 t = splat(own[r]);
    i16 a = {}, e = {};
    for (size_t i = 0; i < 64; i += LANES) {
      v16 v = load(x + 64 * r + i) + load(shift + i);
      i16 column = lane + (int32_t)i, inside = (column >= (int32_t)from) & (column < (int32_t)to);
      a += ~(v <= t) & inside;
      e += (v == t) & inside;
    }
    above[r] -= __builtin_reduce_add(a);
    equal[r] -= __builtin_reduce_add(e);
  }
}

// z = (s - mean) * rstd for the sum s = x + alpha * u + bias over c channels; returns rstd, the reciprocal standard deviation.
INLINE float normalise_row(size_t c, const float *x, const float *u, float alpha, const float *bias, float epsilon,
                           float *z) {
  v16 s = splat(0);
  size_t i = 0;
  for (; i + LANES <= c; i += LANES) {
    v16 v = load(x + i);
    if (u) v += splat(alpha) * load(u + i);
    if (bias) v += load(bias + i);
    store(z + i, v);
    s += v;
  }
  float total = sum16(s);
  for (; i < c; i++) {
    float v = x[i];
    if (u) v += alpha * u[i];
    if (bias) v += bias[i];
    z[i] = v;
    total += v;
  }
  float mean = total / (float)c;
  v16 q = splat(0);
  i = 0;
  for (; i + LANES <= c; i += LANES) {
    v16 v = load(z + i) - splat(mean);
    store(z + i, v);
    q += v * v;
  }
  float square = sum16(q);
  for (; i < c; i++) {
    z[i] -= mean;
    square += z[i] * z[i];
  }
  float rstd = 1.0f / __builtin_elementwise_sqrt(square / (float)c + epsilon);
  for (i = 0; i + LANES <= c; i += LANES) store(z + i, load(z + i) * splat(rstd));
  for (; i < c; i++) z[i] *= rstd;
  return rstd;
}

// Rows of 64 channels, the usual width, fit into registers; so do the gradients that are summed over rows. The functions
// with 64 in their names are for this width.
#define W 4
#define EACH(i) _Pragma("unroll") for (int i = 0; i < W; i++)

INLINE float sum_row(const v16 *x) { return sum16((x[0] + x[1]) + (x[2] + x[3])); }

// z = norm(x + alpha * u + bias) of one row.
INLINE float normalise64(const float *x, const float *u, float alpha, const float *bias, float epsilon, v16 *z) {
  EACH(i) {
    z[i] = load(x + 16 * i);
    if (u) z[i] += splat(alpha) * load(u + 16 * i);
    if (bias) z[i] += load(bias + 16 * i);
  }
  v16 mean = splat(sum_row(z) / 64.0f), q[W];
  EACH(i) {
    z[i] -= mean;
    q[i] = z[i] * z[i];
  }
  float rstd = 1.0f / __builtin_elementwise_sqrt(sum_row(q) / 64.0f + epsilon);
  EACH(i) z[i] *= splat(rstd);
  return rstd;
}

INLINE void norm_relu64(size_t rows, const float *x, const float *bias, const float *gamma, const float *beta,
                        float epsilon, float *xhat, float *rstd, const float *skip, float alpha, float *out) {
  v16 g[W], b[W];
  EACH(i) {
    g[i] = load(gamma + 16 * i);
    b[i] = load(beta + 16 * i);
  }
  for (size_t r = 0; r < rows; r++) {
    v16 z[W];
    rstd[r] = normalise64(x + 64 * r, 0, 0, bias, epsilon, z);
    EACH(i) {
      size_t at = 64 * r + 16 * i;
      v16 y = max16(g[i] * z[i] + b[i], splat(0));
      store(xhat + at, z[i]);
      store(out + at, skip ? load(skip + at) + splat(alpha) * y : y);
    }
  }
}

INLINE float norm_relu_backward64(size_t rows, const float *dout, const float *xhat, const float *rstd,
                                  const float *gamma, const float *beta, float alpha, int residual, float *dx,
                                  float *dgamma, float *dbeta, float *dbias) {
  v16 sg[W], sb[W], sx[W], sa = splat(0);
  EACH(i) sg[i] = sb[i] = sx[i] = splat(0);
  for (size_t r = 0; r < rows; r++) {
    v16 z[W], d[W], p[W];
    EACH(i) {
      size_t at = 64 * r + 16 * i;
      v16 ga = load(gamma + 16 * i);
      z[i] = load(xhat + at);
      d[i] = load(dout + at);
      v16 pre = ga * z[i] + load(beta + 16 * i);
      i16 on = pre > splat(0);
      if (residual) {
        sa += d[i] * select(on, pre, splat(0));
        d[i] = d[i] * splat(alpha);
      }
      d[i] = select(on, d[i], splat(0));
      sg[i] += d[i] * z[i];
      sb[i] += d[i];
      d[i] = d[i] * ga;
      p[i] = d[i] * z[i];
    }
    v16 mean = splat(sum_row(d) / 64.0f), slope = splat(sum_row(p) / 64.0f), s = splat(rstd[r]);
    EACH(i) {
      v16 v = s * (d[i] - mean - z[i] * slope);
      sx[i] += v;
      store(dx + 64 * r + 16 * i, v);
    }
  }
  EACH(i) {
    store(dgamma + 16 * i, load(dgamma + 16 * i) + sg[i]);
    store(dbeta + 16 * i, load(dbeta + 16 * i) + sb[i]);
    store(dbias + 16 * i, load(dbias + 16 * i) + sx[i]);
  }
  return sum16(sa);
}

INLINE void norm_sum64(size_t rows, const float *x, const float *u, float alpha, const float *gamma, const float *beta,
                       float epsilon, float *xhat, float *rstd, float *y) {
  for (size_t r = 0; r < rows; r++) {
    v16 z[W];
    rstd[r] = normalise64(x + 64 * r, u ? u + 64 * r : 0, alpha, 0, epsilon, z);
    EACH(i) {
      store(xhat + 64 * r + 16 * i, z[i]);
      store(y + 64 * r + 16 * i, load(gamma + 16 * i) * z[i] + load(beta + 16 * i));
    }
  }
}

INLINE float norm_sum_backward64(size_t rows, const float *dy, const float *xhat, const float *rstd, const float *gamma,
                                 const float *u, float alpha, float *dx, float *du, float *dgamma, float *dbeta) {
  v16 sg[W], sb[W], sa = splat(0);
  EACH(i) sg[i] = sb[i] = splat(0);
  for (size_t r = 0; r < rows; r++) {
    v16 z[W], d[W], p[W];
    EACH(i) {
      size_t at = 64 * r + 16 * i;
      z[i] = load(xhat + at);
      d[i] = load(dy + at);
      sg[i] += d[i] * z[i];
      sb[i] += d[i];
      d[i] = d[i] * load(gamma + 16 * i);
      p[i] = d[i] * z[i];
    }
    v16 mean = splat(sum_row(d) / 64.0f), slope = splat(sum_row(p) / 64.0f), s = splat(rstd[r]);
    EACH(i) {
      size_t at = 64 * r + 16 * i;
      v16 v = s * (d[i] - mean - z[i] * slope);
      store(dx + at, v);
      if (u) {
        sa += v * load(u + at);
        store(du + at, splat(alpha) * v);
      }
    }
  }
  EACH(i) {
    store(dgamma + 16 * i, load(dgamma + 16 * i) + sg[i]);
    store(dbeta + 16 * i, load(dbeta + 16 * i) + sb[i]);
  }
  return sum16(sa);
}

INLINE float relu(float x) { return x > 0 ? x : 0; }

void KERNEL(srs_norm_relu)(size_t rows, size_t c, const float *x, const float *bias, const float *gamma,
                          const float *beta, float epsilon, float *xhat, float *rstd, float *y) {
  if (c == 64) return norm_relu64(rows, x, bias, gamma, beta, epsilon, xhat, rstd, 0, 0, y);
  for (size_t r = 0; r < rows; r++) {
    float *z = xhat + r * c, *o = y + r * c;
    rstd[r] = normalise_row(c, x + r * c, 0, 0, bias, epsilon, z);
    size_t i = 0;
    for (; i + LANES <= c; i += LANES)
      store(o + i, max16(load(gamma + i) * load(z + i) + load(beta + i), splat(0)));
    for (; i < c; i++) o[i] = relu(gamma[i] * z[i] + beta[i]);
  }
}

void KERNEL(srs_affine_relu)(size_t rows, size_t c, const float *x, const float *gamma, const float *beta, float *y) {
  for (size_t r = 0; r < rows; r++) {
    const float *z = x + r * c;
    float *o = y + r * c;
    size_t i = 0;
    for (; i + LANES <= c; i += LANES)
      store(o + i, max16(load(gamma + i) * load(z + i) + load(beta + i), splat(0)));
    for (; i < c; i++) o[i] = relu(gamma[i] * z[i] + beta[i]);
  }
}

void KERNEL(srs_norm_relu_residual)(size_t rows, size_t c, const float *x, const float *bias, const float *gamma,
                                   const float *beta, float epsilon, float *xhat, float *rstd, const float *skip,
                                   float alpha, float *out) {
  if (c == 64) return norm_relu64(rows, x, bias, gamma, beta, epsilon, xhat, rstd, skip, alpha, out);
  for (size_t r = 0; r < rows; r++) {
    float *z = xhat + r * c, *o = out + r * c;
    const float *k = skip + r * c;
    rstd[r] = normalise_row(c, x + r * c, 0, 0, bias, epsilon, z);
    size_t i = 0;
    for (; i + LANES <= c; i += LANES) {
      v16 y = max16(load(gamma + i) * load(z + i) + load(beta + i), splat(0));
      store(o + i, load(k + i) + splat(alpha) * y);
    }
    for (; i < c; i++) o[i] = k[i] + alpha * relu(gamma[i] * z[i] + beta[i]);
  }
}

// The gradient of the normalisation's input for one row. On entry dx contains g, the gradient of xhat; sg is the sum of g
// and sgx the sum of g * xhat. On exit dx contains the gradient, which is also added to dbias.
INLINE void norm_row_backward(size_t c, float *dx, const float *z, float rstd, float sg, float sgx, float *dbias) {
  float mg = sg / (float)c, mgx = sgx / (float)c;
  size_t i = 0;
  for (; i + LANES <= c; i += LANES) {
    v16 d = splat(rstd) * (load(dx + i) - splat(mg) - load(z + i) * splat(mgx));
    store(dx + i, d);
    if (dbias) store(dbias + i, load(dbias + i) + d);
  }
  for (; i < c; i++) {
    dx[i] = rstd * (dx[i] - mg - z[i] * mgx);
    if (dbias) dbias[i] += dx[i];
  }
}

INLINE float norm_relu_backward_row(size_t c, const float *dy, const float *z, float rstd, const float *gamma,
                                    const float *beta, float alpha, int residual, float *dx, float *dgamma,
                                    float *dbeta, float *dbias) {
  v16 sg = splat(0), sgx = splat(0), sa = splat(0);
  size_t i = 0;
  for (; i + LANES <= c; i += LANES) {
    v16 zi = load(z + i), ga = load(gamma + i), d = load(dy + i);
    v16 pre = ga * zi + load(beta + i);
    i16 on = pre > splat(0);
    if (residual) {
      sa += d * select(on, pre, splat(0));
      d = d * splat(alpha);
    }
    d = select(on, d, splat(0));
    store(dgamma + i, load(dgamma + i) + d * zi);
    store(dbeta + i, load(dbeta + i) + d);
    v16 g = d * ga;
    store(dx + i, g);
    sg += g;
    sgx += g * zi;
  }
  float tg = sum16(sg), tgx = sum16(sgx), ta = sum16(sa);
  for (; i < c; i++) {
    float pre = gamma[i] * z[i] + beta[i], d = dy[i];
    if (residual) {
      ta += d * relu(pre);
      d *= alpha;
    }
    d = pre > 0 ? d : 0;
    dgamma[i] += d * z[i];
    dbeta[i] += d;
    dx[i] = d * gamma[i];
    tg += dx[i];
    tgx += dx[i] * z[i];
  }
  norm_row_backward(c, dx, z, rstd, tg, tgx, dbias);
  return ta;
}

void KERNEL(srs_norm_relu_backward)(size_t rows, size_t c, const float *dy, const float *xhat, const float *rstd,
                                   const float *gamma, const float *beta, float *dx, float *dgamma, float *dbeta,
                                   float *dbias) {
  if (c == 64) {
    norm_relu_backward64(rows, dy, xhat, rstd, gamma, beta, 1, 0, dx, dgamma, dbeta, dbias);
    return;
  }
  for (size_t r = 0; r < rows; r++)
    norm_relu_backward_row(c, dy + r * c, xhat + r * c, rstd[r], gamma, beta, 1, 0, dx + r * c, dgamma, dbeta, dbias);
}

float KERNEL(srs_norm_relu_residual_backward)(size_t rows, size_t c, const float *dout, const float *xhat,
                                             const float *rstd, const float *gamma, const float *beta, float alpha,
                                             float *dx, float *dgamma, float *dbeta, float *dbias) {
  if (c == 64)
    return norm_relu_backward64(rows, dout, xhat, rstd, gamma, beta, alpha, 1, dx, dgamma, dbeta, dbias);
  double total = 0;
  for (size_t r = 0; r < rows; r++)
    total += norm_relu_backward_row(c, dout + r * c, xhat + r * c, rstd[r], gamma, beta, alpha, 1, dx + r * c, dgamma,
                                    dbeta, dbias);
  return (float)total;
}

void KERNEL(srs_add_bias)(size_t rows, size_t c, float *x, const float *bias) {
  for (size_t r = 0; r < rows; r++) {
    float *o = x + r * c;
    size_t i = 0;
    for (; i + LANES <= c; i += LANES) store(o + i, load(o + i) + load(bias + i));
    for (; i < c; i++) o[i] += bias[i];
  }
}

void KERNEL(srs_sum_rows)(size_t rows, size_t c, const float *x, float *out) {
  for (size_t r = 0; r < rows; r++) {
    const float *o = x + r * c;
    size_t i = 0;
    for (; i + LANES <= c; i += LANES) store(out + i, load(out + i) + load(o + i));
    for (; i < c; i++) out[i] += o[i];
  }
}

void KERNEL(srs_adam)(size_t n, float *p, float *m, float *v, const float *g, float gscale, float decay, float rate,
                     float beta1, float beta2, float epsilon, float correction) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    v16 pi = load(p + i);
    v16 gi = load(g + i) * splat(gscale) + splat(decay) * pi;
    v16 mi = splat(beta1) * load(m + i) + splat(1 - beta1) * gi;
    v16 vi = splat(beta2) * load(v + i) + splat(1 - beta2) * gi * gi;
    store(m + i, mi);
    store(v + i, vi);
    v16 root = __builtin_elementwise_sqrt(vi);
    store(p + i, pi - splat(rate) * mi / (root * splat(correction) + splat(epsilon)));
  }
  for (; i < n; i++) {
    float gi = g[i] * gscale + decay * p[i];
    m[i] = beta1 * m[i] + (1 - beta1) * gi;
    v[i] = beta2 * v[i] + (1 - beta2) * gi * gi;
    p[i] -= rate * m[i] / (__builtin_elementwise_sqrt(v[i]) * correction + epsilon);
  }
}

void KERNEL(srs_multiply)(float *x, const float *m, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(x + i, load(x + i) * load(m + i));
  for (; i < n; i++) x[i] *= m[i];
}

void KERNEL(srs_bias_relu)(size_t rows, size_t c, float *x, const float *bias) {
  for (size_t r = 0; r < rows; r++) {
    float *o = x + r * c;
    size_t i = 0;
    for (; i + LANES <= c; i += LANES) store(o + i, max16(load(o + i) + load(bias + i), splat(0)));
    for (; i < c; i++) o[i] = relu(o[i] + bias[i]);
  }
}

void KERNEL(srs_relu_backward)(size_t rows, size_t c, float *dy, const float *y, float scale, float *dbias) {
  for (size_t r = 0; r < rows; r++) {
    float *d = dy + r * c;
    const float *o = y + r * c;
    size_t i = 0;
    for (; i + LANES <= c; i += LANES) {
      v16 g = select(load(o + i) > splat(0), load(d + i) * splat(scale), splat(0));
      store(d + i, g);
      store(dbias + i, load(dbias + i) + g);
    }
    for (; i < c; i++) {
      d[i] = o[i] > 0 ? d[i] * scale : 0;
      dbias[i] += d[i];
    }
  }
}

void KERNEL(srs_norm_sum)(size_t rows, size_t c, const float *x, const float *u, float alpha, const float *gamma,
                         const float *beta, float epsilon, float *xhat, float *rstd, float *y) {
  if (c == 64) return norm_sum64(rows, x, u, alpha, gamma, beta, epsilon, xhat, rstd, y);
  for (size_t r = 0; r < rows; r++) {
    float *z = xhat + r * c, *o = y + r * c;
    rstd[r] = normalise_row(c, x + r * c, u ? u + r * c : 0, alpha, 0, epsilon, z);
    size_t i = 0;
    for (; i + LANES <= c; i += LANES) store(o + i, load(gamma + i) * load(z + i) + load(beta + i));
    for (; i < c; i++) o[i] = gamma[i] * z[i] + beta[i];
  }
}

float KERNEL(srs_norm_sum_backward)(size_t rows, size_t c, const float *dy, const float *xhat, const float *rstd,
                                   const float *gamma, const float *u, float alpha, float *dx, float *du,
                                   float *dgamma, float *dbeta) {
  if (c == 64) return norm_sum_backward64(rows, dy, xhat, rstd, gamma, u, alpha, dx, du, dgamma, dbeta);
  double total = 0;
  for (size_t r = 0; r < rows; r++) {
    const float *z = xhat + r * c, *d0 = dy + r * c;
    float *o = dx + r * c;
    v16 sg = splat(0), sgx = splat(0);
    size_t i = 0;
    for (; i + LANES <= c; i += LANES) {
      v16 d = load(d0 + i), zi = load(z + i);
      store(dgamma + i, load(dgamma + i) + d * zi);
      store(dbeta + i, load(dbeta + i) + d);
      v16 g = d * load(gamma + i);
      store(o + i, g);
      sg += g;
      sgx += g * zi;
    }
    float tg = sum16(sg), tgx = sum16(sgx);
    for (; i < c; i++) {
      float d = d0[i];
      dgamma[i] += d * z[i];
      dbeta[i] += d;
      o[i] = d * gamma[i];
      tg += o[i];
      tgx += o[i] * z[i];
    }
    norm_row_backward(c, o, z, rstd[r], tg, tgx, 0);
    if (!u) continue;
    const float *ur = u + r * c;
    float *e = du + r * c;
    v16 sa = splat(0);
    for (i = 0; i + LANES <= c; i += LANES) {
      v16 d = load(o + i);
      sa += d * load(ur + i);
      store(e + i, splat(alpha) * d);
    }
    float ta = sum16(sa);
    for (; i < c; i++) {
      ta += o[i] * ur[i];
      e[i] = alpha * o[i];
    }
    total += ta;
  }
  return (float)total;
}

// Phi(x) from e = exp(-x^2 / 2) by the approximation of the error function in Abramowitz and Stegun, 7.1.26; the absolute
// error is below 2e-7.
INLINE v16 normal_cdf(v16 x, v16 e) {
  v16 z = select(x < splat(0), -x, x) * splat(0.70710678118654752f);
  v16 t = splat(1) / (splat(1) + splat(0.3275911f) * z);
  v16 p = splat(1.061405429f);
  p = p * t + splat(-1.453152027f);
  p = p * t + splat(1.421413741f);
  p = p * t + splat(-0.284496736f);
  p = p * t + splat(0.254829592f);
  v16 half = splat(0.5f) * p * t * e;
  return select(x < splat(0), half, splat(1) - half);
}

INLINE v16 load_tail(const float *p, size_t n) {
  v16 x = splat(0);
  for (size_t l = 0; l < n; l++) x[l] = p[l];
  return x;
}

INLINE v16 gelu16(v16 x) { return x * normal_cdf(x, exp16(splat(-0.5f) * x * x)); }

INLINE v16 gelu_slope16(v16 x) {
  v16 e = exp16(splat(-0.5f) * x * x);
  return normal_cdf(x, e) + x * e * splat(0.39894228040143268f);
}

INLINE v16 sigmoid16(v16 x) { return splat(1) / (splat(1) + exp16(-x)); }

INLINE v16 silu16(v16 x) { return x * sigmoid16(x); }

INLINE v16 silu_slope16(v16 x) {
  v16 s = sigmoid16(x);
  return s * (splat(1) + x * (splat(1) - s));
}

void KERNEL(srs_sigmoid)(float *y, const float *x, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, sigmoid16(load(x + i)));
  if (i < n) {
    v16 t = sigmoid16(load_tail(x + i, n - i));
    for (size_t l = 0; i + l < n; l++) y[i + l] = t[l];
  }
}

void KERNEL(srs_silu)(float *y, const float *x, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, silu16(load(x + i)));
  if (i < n) {
    v16 t = silu16(load_tail(x + i, n - i));
    for (size_t l = 0; i + l < n; l++) y[i + l] = t[l];
  }
}

void KERNEL(srs_silu_backward)(float *dy, const float *x, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(dy + i, load(dy + i) * silu_slope16(load(x + i)));
  if (i < n) {
    v16 t = silu_slope16(load_tail(x + i, n - i));
    for (size_t l = 0; i + l < n; l++) dy[i + l] *= t[l];
  }
}

void KERNEL(srs_gated_add)(float *y, const float *x, const float *s, const float *a, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, load(x + i) + load(s + i) * load(a + i));
  for (; i < n; i++) y[i] = x[i] + s[i] * a[i];
}

void KERNEL(srs_gated_add_backward)(const float *dy, const float *s, const float *a, float *da, float *dz, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    v16 d = load(dy + i), g = load(s + i);
    store(dz + i, d * load(a + i) * g * (splat(1) - g));
    store(da + i, d * g);
  }
  for (; i < n; i++) {
    float d = dy[i], g = s[i];
    dz[i] = d * a[i] * g * (1 - g);
    da[i] = d * g;
  }
}

void KERNEL(srs_gelu)(float *y, const float *x, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, gelu16(load(x + i)));
  if (i < n) {
    v16 t = gelu16(load_tail(x + i, n - i));
    for (size_t l = 0; i + l < n; l++) y[i + l] = t[l];
  }
}

void KERNEL(srs_gelu_backward)(float *dy, const float *x, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) store(dy + i, load(dy + i) * gelu_slope16(load(x + i)));
  if (i < n) {
    v16 t = gelu_slope16(load_tail(x + i, n - i));
    for (size_t l = 0; i + l < n; l++) dy[i + l] *= t[l];
  }
}
