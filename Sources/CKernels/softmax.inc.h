// Softmax over many columns in panels of 64, so that a panel of logits is still in the first-level cache when it is
// processed. Included after kernels.inc.h, whose helpers it uses.
//
// Each row keeps the largest logit so far and the sum of exp(logit - largest) (online softmax: Milakov and Gimelshein,
// 2018). When a later panel has a larger logit, the exponentials of earlier panels are rescaled in srs_softmax_gradient.

void KERNEL(srs_softmax_panel)(size_t rows, float *x, const float *shift, const int32_t *column, size_t first,
                               float *at, float *top, float *sums, float *base) {
  for (size_t r = 0; r < rows; r++) {
    float *o = x + 64 * r;
    v16 v[W];
    EACH(i) v[i] = load(o + 16 * i) + load(shift + 16 * i);
    size_t c = (size_t)column[r] - first;
    if (c < 64) {
      EACH(i) store(o + 16 * i, v[i]);
      if (at) at[r] = o[c];
      else o[c] = -INFINITY;
      EACH(i) v[i] = load(o + 16 * i);
    }
    v16 best = max16(max16(v[0], v[1]), max16(v[2], v[3])), sum = load(sums + 16 * r);
    if (__builtin_reduce_or(best > splat(top[r]))) {
      float largest = top[r];
      for (int l = 0; l < LANES; l++) largest = best[l] > largest ? best[l] : largest;
      sum *= splat(expf(top[r] - largest));
      top[r] = largest;
    }
    // When all columns so far are excluded, the maximum is minus infinity; 0 avoids the NaN of inf - inf.
    v16 t = splat(top[r] == -INFINITY ? 0 : top[r]);
    base[r] = top[r];
    EACH(i) {
      v[i] = exp16(v[i] - t);
      store(o + 16 * i, v[i]);
    }
    store(sums + 16 * r, sum + ((v[0] + v[1]) + (v[2] + v[3])));
  }
}

void KERNEL(srs_softmax_sums)(size_t rows, float *sums) {
  for (size_t r = 0; r < rows; r++) sums[r] = sum16(load(sums + 16 * r));
}

void KERNEL(srs_softmax_gradient)(size_t rows, float *x, const float *base, const float *top, const float *scale,
                                  const int32_t *target, size_t first, const float *w, float *dshift) {
  v16 sum[W];
  EACH(i) sum[i] = load(dshift + 16 * i);
  for (size_t r = 0; r < rows; r++) {
    float *o = x + 64 * r;
    v16 factor = splat(base[r] == top[r] ? scale[r] : scale[r] * expf(base[r] - top[r]));
    size_t c = target ? (size_t)target[r] - first : 64;
    EACH(i) {
      v16 g = load(o + 16 * i) * factor;
      store(o + 16 * i, g);
      if (c >= 64) sum[i] += g;
    }
    if (c < 64) {
      o[c] -= w[r];
      EACH(i) sum[i] += load(o + 16 * i);
    }
  }
  EACH(i) store(dshift + 16 * i, sum[i]);
}
