// The transforms of minimal filtering F(4, 3) (Winograd, 1980; Lavin and Gray, 2016). It computes four neighbouring outputs
// of a filter of three taps with six products instead of twelve, using the points 0, 1, -1, 2, -2 and infinity:
//
//     y = A' [(G w) * (B' x)]
//
// The backward pass uses the transposes of the three transforms. Compared with the usual matrices, the first row of B' is
// divided by four and that of G multiplied by four, so that the first and the last transformed filters are plain taps and
// need no memory. The operands of one product are `plane` floats from those of the next. n is a multiple of 16.
// Included after kernels.inc.h, whose helpers it uses.

#define VALUES for (size_t i = 0; i < n; i += LANES)

void KERNEL(srs_filter_weights)(size_t n, const float *w, float *g) {
  VALUES {
    v16 a = load(w + i), b = load(w + n + i), c = load(w + 2 * n + i);
    v16 even = splat(-1 / 6.0f) * (a + c), odd = splat(1 / 6.0f) * b;
    store(g + i, even - odd);
    store(g + n + i, even + odd);
    even = splat(1 / 24.0f) * a + splat(1 / 6.0f) * c, odd = splat(1 / 12.0f) * b;
    store(g + 2 * n + i, even + odd);
    store(g + 3 * n + i, even - odd);
  }
}

void KERNEL(srs_filter_weights_transposed)(size_t n, const float *g, float *w) {
  VALUES {
    v16 g1 = load(g + i), g2 = load(g + n + i), g3 = load(g + 2 * n + i), g4 = load(g + 3 * n + i);
    v16 near = splat(-1 / 6.0f) * (g1 + g2), far = g3 + g4;
    store(w + i, load(w + i) + (near + splat(1 / 24.0f) * far));
    store(w + n + i, load(w + n + i) + (splat(1 / 6.0f) * (g2 - g1) + splat(1 / 12.0f) * (g3 - g4)));
    store(w + 2 * n + i, load(w + 2 * n + i) + (near + splat(1 / 6.0f) * far));
  }
}

void KERNEL(srs_filter_input)(size_t n, const float *const *x, float *u, size_t plane) {
  const float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3], *x4 = x[4], *x5 = x[5];
  VALUES {
    v16 a = load(x1 + i), b = load(x2 + i), c = load(x3 + i), d = load(x4 + i);
    v16 even = d - splat(4) * b, odd = c - splat(4) * a;
    store(u + i, load(x0 + i) - splat(1.25f) * b + splat(0.25f) * d);
    store(u + plane + i, even + odd);
    store(u + 2 * plane + i, even - odd);
    even = d - b, odd = splat(2) * (c - a);
    store(u + 3 * plane + i, even + odd);
    store(u + 4 * plane + i, even - odd);
    store(u + 5 * plane + i, splat(4) * a - splat(5) * c + load(x5 + i));
  }
}

void KERNEL(srs_filter_input_transposed)(size_t n, const float *u, size_t plane, float *const *x) {
  float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3], *x4 = x[4], *x5 = x[5];
  VALUES {
    v16 u0 = load(u + i), u1 = load(u + plane + i), u2 = load(u + 2 * plane + i);
    v16 u3 = load(u + 3 * plane + i), u4 = load(u + 4 * plane + i), u5 = load(u + 5 * plane + i);
    v16 near = u1 + u2, far = u3 + u4, slope = u1 - u2, steep = splat(2) * (u3 - u4);
    store(x0 + i, load(x0 + i) + u0);
    store(x1 + i, load(x1 + i) + (splat(4) * (u5 - slope) - steep));
    store(x2 + i, load(x2 + i) - (splat(1.25f) * u0 + splat(4) * near + far));
    store(x3 + i, load(x3 + i) + (slope + steep - splat(5) * u5));
    store(x4 + i, load(x4 + i) + (splat(0.25f) * u0 + near + far));
    store(x5 + i, load(x5 + i) + u5);
  }
}

void KERNEL(srs_filter_output)(size_t n, const float *m, size_t plane, float *const *y) {
  float *y0 = y[0], *y1 = y[1], *y2 = y[2], *y3 = y[3];
  VALUES {
    v16 m1 = load(m + plane + i), m2 = load(m + 2 * plane + i);
    v16 m3 = load(m + 3 * plane + i), m4 = load(m + 4 * plane + i);
    v16 near = m1 + m2, slope = m1 - m2, far = m3 + m4, steep = splat(2) * (m3 - m4);
    store(y0 + i, load(m + i) + near + far);
    store(y1 + i, slope + steep);
    store(y2 + i, near + splat(4) * far);
    store(y3 + i, slope + splat(4) * steep + load(m + 5 * plane + i));
  }
}

void KERNEL(srs_filter_output_transposed)(size_t n, const float *const *y, float *m, size_t plane) {
  const float *y0 = y[0], *y1 = y[1], *y2 = y[2], *y3 = y[3];
  VALUES {
    v16 a = load(y0 + i), b = load(y1 + i), c = load(y2 + i), d = load(y3 + i);
    v16 even = a + c, odd = b + d;
    store(m + i, a);
    store(m + plane + i, even + odd);
    store(m + 2 * plane + i, even - odd);
    even = a + splat(4) * c, odd = splat(2) * b + splat(8) * d;
    store(m + 3 * plane + i, even + odd);
    store(m + 4 * plane + i, even - odd);
    store(m + 5 * plane + i, d);
  }
}
