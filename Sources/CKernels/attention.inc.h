// Causal attention of one sequence, and dropout masks; included after kernels.inc.h, whose helpers it uses.
//
// A sequence of a time-major tile: row t stands at t * stride. Matrices over pairs of positions have T rows of
// `width` = T rounded up to 16 columns; what lies above the diagonal is 0.
//
// A head's products are too small for a BLAS call each (T is 20 to 100), so four rows are kept in registers here.

// s[i][j] = scale * sum_c x[i][c] * yt[c][j] for j <= i; yt is (dh, width).
INLINE void pair_products(size_t T, size_t dh, size_t width, const float *x, size_t stride, const float *yt,
                          float scale, float *s) {
  for (size_t i = 0; i < T; i += 4) {
    size_t n = T - i < 4 ? T - i : 4;
    const float *x0 = x + i * stride, *x1 = n > 1 ? x0 + stride : x0, *x2 = n > 2 ? x1 + stride : x0,
                *x3 = n > 3 ? x2 + stride : x0;
    for (size_t j = 0; j < i + n; j += LANES) {
      v16 a0 = splat(0), a1 = a0, a2 = a0, a3 = a0;
      const float *y = yt + j;
      for (size_t c = 0; c < dh; c++, y += width) {
        v16 v = load(y);
        a0 += splat(x0[c]) * v;
        a1 += splat(x1[c]) * v;
        a2 += splat(x2[c]) * v;
        a3 += splat(x3[c]) * v;
      }
      v16 f = splat(scale);
      store(s + i * width + j, a0 * f);
      if (n > 1) store(s + (i + 1) * width + j, a1 * f);
      if (n > 2) store(s + (i + 2) * width + j, a2 * f);
      if (n > 3) store(s + (i + 3) * width + j, a3 * f);
    }
  }
}

// out[i] = sum over j <= i of w[i][j] * y[j]; with `columns`, out[j] = sum over i >= j of w[i][j] * y[i].
INLINE void pair_mix(size_t T, size_t dh, size_t width, const float *w, int columns, const float *y, float *out,
                     size_t stride) {
  size_t row = columns ? 1 : width, step = columns ? width : 1;
  for (size_t i = 0; i < T; i += 4) {
    size_t n = T - i < 4 ? T - i : 4;
    size_t first = columns ? i : 0, end = columns ? T : i + n;
    const float *w0 = w + i * row, *w1 = n > 1 ? w0 + row : w0, *w2 = n > 2 ? w1 + row : w0, *w3 = n > 3 ? w2 + row : w0;
    float *o = out + i * stride;
    size_t c = 0;
    for (; c + LANES <= dh; c += LANES) {
      v16 a0 = splat(0), a1 = a0, a2 = a0, a3 = a0;
      for (size_t j = first; j < end; j++) {
        v16 v = load(y + j * stride + c);
        a0 += splat(w0[j * step]) * v;
        a1 += splat(w1[j * step]) * v;
        a2 += splat(w2[j * step]) * v;
        a3 += splat(w3[j * step]) * v;
      }
      store(o + c, a0);
      if (n > 1) store(o + stride + c, a1);
      if (n > 2) store(o + 2 * stride + c, a2);
      if (n > 3) store(o + 3 * stride + c, a3);
    }
    for (; c < dh; c++)
      for (size_t k = 0; k < n; k++) {
        float a = 0;
        for (size_t j = first; j < end; j++) a += w[(i + k) * row + j * step] * y[j * stride + c];
        o[k * stride + c] = a;
      }
  }
}

INLINE void transpose(size_t T, size_t dh, size_t width, const float *x, size_t stride, float *xt) {
  for (size_t c = 0; c < dh; c++) {
    size_t t = 0;
    for (; t < T; t++) xt[c * width + t] = x[t * stride + c];
    for (; t < width; t++) xt[c * width + t] = 0;
  }
}

void KERNEL(srs_attention)(size_t T, size_t heads, size_t dh, size_t stride, const float *q, const float *k,
                          const float *v, const float *mask, float *p, float *out, float *scratch) {
  size_t width = (T + LANES - 1) / LANES * LANES;
  float *kt = scratch, *dropped = scratch + dh * width;
  float scale = 1.0f / sqrtf((float)dh);
  for (size_t h = 0; h < heads; h++, p += T * width) {
    transpose(T, dh, width, k + h * dh, stride, kt);
    pair_products(T, dh, width, q + h * dh, stride, kt, scale, p);
    for (size_t i = 0; i < T; i++) {
      float *s = p + i * width;
      float top = s[0];
      for (size_t j = 1; j <= i; j++) top = s[j] > top ? s[j] : top;
      for (size_t j = i + 1; j < width; j++) s[j] = -INFINITY;
      row_scale(s, width, 1.0f / row_exp(s, width, top));
    }
    const float *w = p;
    if (mask) {
      for (size_t i = 0; i < T; i++) {
        for (size_t j = 0; j < T; j++) dropped[i * width + j] = p[i * width + j] * mask[(h * T + i) * T + j];
        for (size_t j = T; j < width; j++) dropped[i * width + j] = 0;
      }
      w = dropped;
    }
    pair_mix(T, dh, width, w, 0, v + h * dh, out + h * dh, stride);
  }
}

void KERNEL(srs_attention_backward)(size_t T, size_t heads, size_t dh, size_t stride, const float *q, const float *k,
                                   const float *v, const float *mask, const float *p, const float *dout, float *dq,
                                   float *dk, float *dv, float *scratch) {
  size_t width = (T + LANES - 1) / LANES * LANES;
  float *vt = scratch, *ds = scratch + dh * width, *dropped = ds + T * width;
  float scale = 1.0f / sqrtf((float)dh);
  for (size_t h = 0; h < heads; h++, p += T * width) {
    size_t at = h * dh;
    const float *w = p;
    if (mask) {
      for (size_t i = 0; i < T; i++)
        for (size_t j = 0; j < T; j++) dropped[i * width + j] = p[i * width + j] * mask[(h * T + i) * T + j];
      w = dropped;
    }
    pair_mix(T, dh, width, w, 1, dout + at, dv + at, stride);
    transpose(T, dh, width, v + at, stride, vt);
    pair_products(T, dh, width, dout + at, stride, vt, 1.0f, ds);
    for (size_t i = 0; i < T; i++) {
      const float *pi = p + i * width;
      float *d = ds + i * width;
      if (mask)
        for (size_t j = 0; j <= i; j++) d[j] *= mask[(h * T + i) * T + j];
      // What pair_products left above the diagonal meets a probability of 0.
      size_t end = i / LANES * LANES + LANES;
      v16 sum = splat(0);
      for (size_t j = 0; j < end; j += LANES) sum += load(pi + j) * load(d + j);
      float total = sum16(sum);
      for (size_t j = 0; j < end; j += LANES) store(d + j, load(pi + j) * (load(d + j) - splat(total)) * splat(scale));
      for (size_t j = end; j < width; j += LANES) store(d + j, splat(0));
    }
    pair_mix(T, dh, width, ds, 0, k + at, dq + at, stride);
    pair_mix(T, dh, width, ds, 1, q + at, dk + at, stride);
  }
}

typedef uint32_t u16 __attribute__((vector_size(64), aligned(4)));
typedef uint64_t u16w __attribute__((vector_size(128)));

INLINE u16 usplat(uint32_t x) { return (u16){} + x; }

// Philox4x32-10: value 64 g + 16 w + l is word w of counter 16 g + l.
void KERNEL(srs_dropout_mask)(float *mask, size_t n, uint32_t key0, uint32_t key1, uint64_t place, uint32_t threshold,
                             float kept) {
  u16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (size_t g = 0; 64 * g < n; g++) {
    u16 c0 = usplat((uint32_t)(16 * g)) + lane, c1 = usplat(0);
    u16 c2 = usplat((uint32_t)place), c3 = usplat((uint32_t)(place >> 32));
    uint32_t k0 = key0, k1 = key1;
    for (int round = 0; round < 10; round++) {
      u16w a = __builtin_convertvector(c0, u16w) * ((u16w){} + 0xD2511F53u);
      u16w b = __builtin_convertvector(c2, u16w) * ((u16w){} + 0xCD9E8D57u);
      c0 = __builtin_convertvector(b >> 32, u16) ^ c1 ^ usplat(k0);
      c1 = __builtin_convertvector(b, u16);
      c2 = __builtin_convertvector(a >> 32, u16) ^ c3 ^ usplat(k1);
      c3 = __builtin_convertvector(a, u16);
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    u16 words[4] = {c0, c1, c2, c3};
    float values[64];
    for (int w = 0; w < 4; w++) store(values + 16 * w, select((i16)(words[w] < usplat(threshold)), splat(0), splat(kept)));
    size_t left = n - 64 * g;
    if (left >= 64)
      __builtin_memcpy(mask + 64 * g, values, sizeof values);
    else
      for (size_t l = 0; l < left; l++) mask[64 * g + l] = values[l];
  }
}
