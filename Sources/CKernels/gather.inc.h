// Kernels on rows of a table that are named by their numbers: the logits of a position's own negatives and their gradients.

// out[j] = x . row j, for rows of n floats.
void KERNEL(srs_gather_dots)(const float *x, const float *table, const int32_t *rows, size_t count, size_t n, float *out) {
  size_t whole = n / LANES * LANES;
  size_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const float *a = table + (size_t)rows[j] * n, *b = table + (size_t)rows[j + 1] * n;
    const float *c = table + (size_t)rows[j + 2] * n, *d = table + (size_t)rows[j + 3] * n;
    v16 sa = splat(0), sb = splat(0), sc = splat(0), sd = splat(0);
    for (size_t i = 0; i < whole; i += LANES) {
      v16 v = load(x + i);
      sa += v * load(a + i);
      sb += v * load(b + i);
      sc += v * load(c + i);
      sd += v * load(d + i);
    }
    float ta = sum16(sa), tb = sum16(sb), tc = sum16(sc), td = sum16(sd);
    for (size_t i = whole; i < n; i++) {
      ta += x[i] * a[i];
      tb += x[i] * b[i];
      tc += x[i] * c[i];
      td += x[i] * d[i];
    }
    out[j] = ta;
    out[j + 1] = tb;
    out[j + 2] = tc;
    out[j + 3] = td;
  }
  for (; j < count; j++) {
    const float *a = table + (size_t)rows[j] * n;
    v16 s = splat(0);
    for (size_t i = 0; i < whole; i += LANES) s += load(x + i) * load(a + i);
    float t = sum16(s);
    for (size_t i = whole; i < n; i++) t += x[i] * a[i];
    out[j] = t;
  }
}

// y += sum over j of w[j] * row j.
void KERNEL(srs_gather_sum)(float *y, const float *table, const int32_t *rows, const float *w, size_t count, size_t n) {
  size_t i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
    v16 a = load(y + i), b = load(y + i + LANES), c = load(y + i + 2 * LANES), d = load(y + i + 3 * LANES);
    for (size_t j = 0; j < count; j++) {
      const float *r = table + (size_t)rows[j] * n + i;
      v16 s = splat(w[j]);
      a += s * load(r);
      b += s * load(r + LANES);
      c += s * load(r + 2 * LANES);
      d += s * load(r + 3 * LANES);
    }
    store(y + i, a);
    store(y + i + LANES, b);
    store(y + i + 2 * LANES, c);
    store(y + i + 3 * LANES, d);
  }
  for (; i + LANES <= n; i += LANES) {
    v16 a = load(y + i);
    for (size_t j = 0; j < count; j++) a += splat(w[j]) * load(table + (size_t)rows[j] * n + i);
    store(y + i, a);
  }
  for (; i < n; i++) {
    float a = y[i];
    for (size_t j = 0; j < count; j++) a += w[j] * table[(size_t)rows[j] * n + i];
    y[i] = a;
  }
}

// row j += w[j] * x, in the order of j.
void KERNEL(srs_scatter_add)(float *table, const int32_t *rows, const float *w, const float *x, size_t count, size_t n) {
  size_t whole = n / LANES * LANES;
  for (size_t j = 0; j < count; j++) {
    float *r = table + (size_t)rows[j] * n;
    v16 s = splat(w[j]);
    for (size_t i = 0; i < whole; i += LANES) store(r + i, load(r + i) + s * load(x + i));
    for (size_t i = whole; i < n; i++) r[i] += w[j] * x[i];
  }
}

// x = exp(x - top); returns the sum.
float KERNEL(srs_exp_sum)(float *x, float top, size_t n) {
  size_t i = 0;
  v16 sum = splat(0);
  for (; i + LANES <= n; i += LANES) {
    v16 e = exp16(load(x + i) - splat(top));
    store(x + i, e);
    sum += e;
  }
  float total = sum16(sum);
  if (i < n) {
    v16 t = exp16(load_tail(x + i, n - i) - splat(top));
    for (size_t l = 0; i + l < n; l++) {
      x[i + l] = t[l];
      total += t[l];
    }
  }
  return total;
}
