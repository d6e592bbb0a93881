// Causal attention of one sequence, and dropout masks. Included after products.inc.h, whose tiles it uses.
//
// The batch is time-major (T, B, C), so row t of a sequence is at t * stride. Matrices over pairs of positions have T rows
// of `width` columns, T rounded up to 16; their entries above the diagonal are 0.
//
// The products of a head are too small for BLAS calls (T is 20 to 100), so they use the tiles of products.inc.h.

// s[i][j] = sum_c x[i][c] * yt[c][j] for j <= i; yt is (dh, width). Columns up to the end of the vector that contains i are
// computed as well.
INLINE void pair_products(size_t T, size_t dh, size_t width, const float *x, size_t stride, const float *yt, float *s) {
  KERNEL(terms) of = {1, dh, {x}, {yt}};
  size_t i = 0;
  for (; i < T && T >= 4; i += 4) {
    // Tiles of four rows are faster than single rows, even where the last tile repeats rows of the one before it.
    size_t from = i + 4 <= T ? i : T - 4, j = 0;
#if IS(ISA)
    for (; j + LANES < from + 4; j += 2 * LANES)
      tile_4_2(&of, from * stride, j, stride, 1, width, s + from * width + j, width, 0);
#endif
    for (; j < from + 4; j += LANES)
      tile_4_1(&of, from * stride, j, stride, 1, width, s + from * width + j, width, 0);
  }
  for (; i < T; i++)
    for (size_t j = 0; j <= i; j += LANES)
      tile_1_1(&of, i * stride, j, stride, 1, width, s + i * width + j, width, 0);
}

// Computes a tile of `out`. The caller has moved w and y, whose rows are dh long, to the first of the `count` positions that
// contribute to it.
#define MIX(ROWS, VECTORS) tile_##ROWS##_##VECTORS(&of, 0, c, row, step, dh, out + i * stride + c, stride, 0)

// out[i] = sum over j <= i of w[i][j] * y[j]. With `columns`, the product with the transpose of w: out[j] = sum over i >= j
// of w[i][j] * y[i]. Entries of w above the diagonal must be 0.
INLINE void pair_mix(size_t T, size_t dh, size_t width, const float *w, int columns, const float *y, float *out,
                     size_t stride) {
  size_t row = columns ? 1 : width, step = columns ? width : 1;
  for (size_t i = 0, n; i < T; i += n) {
    n = T - i >= 4 ? 4 : 1;
    size_t first = columns ? i : 0, count = columns ? T - i : i + n;
    const float *w0 = w + i * row + first * step, *y0 = y + first * dh;
    KERNEL(terms) of = {1, count, {w0}, {y0}};
    size_t c = 0;
#if IS(ISA)
    for (; c + 64 <= dh; c += 64) n == 4 ? MIX(4, 4) : MIX(1, 4);
#endif
    for (; c + LANES <= dh; c += LANES) n == 4 ? MIX(4, 1) : MIX(1, 1);
    for (; c < dh; c++)
      for (size_t k = 0; k < n; k++) {
        float sum = 0;
        for (size_t j = 0; j < count; j++) sum += w0[k * row + j * step] * y0[j * dh + c];
        out[(i + k) * stride + c] = sum;
      }
  }
}

// Copies one head, x with row t at t * stride, to contiguous y (T, dh). The stride is often a power of two, so rows of x
// compete for the same sets of the first-level cache.
INLINE void gather_head(size_t T, size_t dh, const float *x, size_t stride, float *y) {
  for (size_t t = 0; t < T; t++) {
    size_t c = 0;
    for (; c + LANES <= dh; c += LANES) store(y + t * dh + c, load(x + t * stride + c));
    for (; c < dh; c++) y[t * dh + c] = x[t * stride + c];
  }
}

// xt (dh, width) = x^T; columns from T on are 0.
INLINE void transpose_head(size_t T, size_t dh, size_t width, const float *x, size_t stride, float *xt) {
  size_t c = 0;
  for (; c + LANES <= dh; c += LANES)
    for (size_t t = 0; t < width; t += LANES) transpose16(T - t, x + t * stride + c, stride, xt + c * width + t, width);
  for (; c < dh; c++)
    for (size_t t = 0; t < width; t++) xt[c * width + t] = t < T ? x[t * stride + c] : 0;
}

// Replaces the first n values of a row by softmax(scale * row) and the rest by 0.
INLINE void softmax_row(float *s, size_t n, size_t width, float scale) {
  size_t full = n / LANES * LANES;
  i16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  v16 top = splat(-INFINITY), sum = splat(0);
  for (size_t j = 0; j < full; j += LANES) top = max16(load(s + j), top);
  i16 inside = lane < (i16){} + (int32_t)(n - full);
  v16 last = splat(-INFINITY);
  if (full < n) last = select(inside, load(s + full), last);
  top = max16(last, top);
  float best = top[0];
  for (int l = 1; l < LANES; l++) best = top[l] > best ? top[l] : best;
  for (size_t j = 0; j < full; j += LANES) {
    v16 e = exp16((load(s + j) - splat(best)) * splat(scale));
    store(s + j, e);
    sum += e;
  }
  if (full < n) {
    last = select(inside, exp16((last - splat(best)) * splat(scale)), splat(0));
    sum += last;
  }
  v16 share = splat(1.0f / sum16(sum));
  for (size_t j = 0; j < full; j += LANES) store(s + j, load(s + j) * share);
  if (full < n) store(s + full, last * share);
  for (size_t j = full + (full < n ? LANES : 0); j < width; j += LANES) store(s + j, splat(0));
}

void KERNEL(srs_attention)(size_t T, size_t heads, size_t dh, size_t stride, const float *q, const float *k,
                          const float *v, const float *mask, float *p, float *out, float *scratch) {
  size_t width = (T + LANES - 1) / LANES * LANES;
  float *kt = scratch, *dropped = scratch + dh * width, *near = dropped + T * width;
  float scale = 1.0f / __builtin_elementwise_sqrt((float)dh);
  for (size_t h = 0; h < heads; h++, p += T * width) {
    transpose_head(T, dh, width, k + h * dh, stride, kt);
    pair_products(T, dh, width, q + h * dh, stride, kt, p);
    for (size_t i = 0; i < T; i++) softmax_row(p + i * width, i + 1, width, scale);
    const float *w = p;
    if (mask) {
      for (size_t i = 0; i < T; i++) {
        for (size_t j = 0; j < T; j++) dropped[i * width + j] = p[i * width + j] * mask[(h * T + i) * T + j];
        for (size_t j = T; j < width; j++) dropped[i * width + j] = 0;
      }
      w = dropped;
    }
    gather_head(T, dh, v + h * dh, stride, near);
    pair_mix(T, dh, width, w, 0, near, out + h * dh, stride);
  }
}

void KERNEL(srs_attention_backward)(size_t T, size_t heads, size_t dh, size_t stride, const float *q, const float *k,
                                   const float *v, const float *mask, const float *p, const float *dout, float *dq,
                                   float *dk, float *dv, float *scratch) {
  size_t width = (T + LANES - 1) / LANES * LANES;
  float *vt = scratch, *ds = scratch + dh * width, *dropped = ds + T * width, *near = dropped + T * width;
  float scale = 1.0f / __builtin_elementwise_sqrt((float)dh);
  for (size_t h = 0; h < heads; h++, p += T * width) {
    size_t at = h * dh;
    const float *w = p;
    if (mask) {
      for (size_t i = 0; i < T; i++)
        for (size_t j = 0; j < T; j++) dropped[i * width + j] = p[i * width + j] * mask[(h * T + i) * T + j];
      w = dropped;
    }
    gather_head(T, dh, dout + at, stride, near);
    pair_mix(T, dh, width, w, 1, near, dv + at, stride);
    transpose_head(T, dh, width, v + at, stride, vt);
    pair_products(T, dh, width, near, dh, vt, ds);
    for (size_t i = 0; i < T; i++) {
      const float *pi = p + i * width;
      float *d = ds + i * width;
      if (mask)
        for (size_t j = 0; j <= i; j++) d[j] *= mask[(h * T + i) * T + j];
      // pair_products leaves values above the diagonal; the probabilities there are 0, so they do not count.
      size_t end = i / LANES * LANES + LANES;
      v16 sum = splat(0);
      for (size_t j = 0; j < end; j += LANES) sum += load(pi + j) * load(d + j);
      float total = sum16(sum);
      for (size_t j = 0; j < end; j += LANES) store(d + j, load(pi + j) * (load(d + j) - splat(total)) * splat(scale));
      for (size_t j = end; j < width; j += LANES) store(d + j, splat(0));
    }
    gather_head(T, dh, k + at, stride, near);
    pair_mix(T, dh, width, ds, 0, near, dq + at, stride);
    gather_head(T, dh, q + at, stride, near);
    pair_mix(T, dh, width, ds, 1, near, dk + at, stride);
  }
}

typedef uint32_t u16 __attribute__((vector_size(64), aligned(4)));
typedef uint64_t u16w __attribute__((vector_size(128)));

INLINE u16 usplat(uint32_t x) { return (u16){} + x; }

// Philox4x32-10 (Salmon et al., 2011), 64 words at a time: value 64 g + 16 w + l of the mask comes from word w of counter
// 16 g + l.
void KERNEL(srs_dropout_mask)(float *mask, size_t n, uint32_t key0, uint32_t key1, uint64_t position, uint32_t threshold,
                             float kept) {
  u16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (size_t g = 0; 64 * g < n; g++) {
    u16 c0 = usplat((uint32_t)(16 * g)) + lane, c1 = usplat(0);
    u16 c2 = usplat((uint32_t)position), c3 = usplat((uint32_t)(position >> 32));
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
