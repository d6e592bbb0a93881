// Matrix products C = A B whose right side B is narrow or packed. Included after kernels.inc.h, whose helpers it uses.
//
// OpenBLAS first copies both sides into panels. These kernels read both sides in place: a tile of C stays in registers, B
// is read in whole vectors and A one value at a time. For the sizes of the blocks (300 rows, 64 or 128 columns) this was
// measured to be 15 to 20 % faster than OpenBLAS and as fast as libxsmm; see docs/performance.md.

#define FOR(i, n) _Pragma("unroll") for (size_t i = 0; i < n; i++)

// The left and right sides of up to three products whose sum is computed: the taps of a convolution.
#define TAPS 3
typedef struct {
  size_t count, k;
  const float *a[TAPS], *b[TAPS];
} KERNEL(terms);

// Computes a tile of C of ROWS rows and 16 * VECTORS columns. Element (i, p) of a left side is a[row + i * ars + p * acs]:
// `ars` and `acs` are its row and column strides, so that a transposed left side needs no copy.
#define TILE(ROWS, VECTORS)                                                                                            \
  INLINE void tile_##ROWS##_##VECTORS(const KERNEL(terms) * of, size_t row, size_t column, size_t ars, size_t acs,     \
                                      size_t ldb, float *c, size_t ldc, int add) {                                     \
    v16 sum[ROWS][VECTORS];                                                                                            \
    FOR(i, ROWS) FOR(j, VECTORS) sum[i][j] = splat(0);                                                                 \
    for (size_t t = 0; t < of->count; t++) {                                                                           \
      const float *a = of->a[t] + row, *b = of->b[t] + column;                                                         \
      for (size_t p = 0; p < of->k; p++) {                                                                             \
        v16 right[VECTORS];                                                                                            \
        FOR(j, VECTORS) right[j] = load(b + p * ldb + 16 * j);                                                         \
        FOR(i, ROWS) {                                                                                                 \
          v16 left = splat(a[i * ars + p * acs]);                                                                      \
          FOR(j, VECTORS) sum[i][j] += left * right[j];                                                                \
        }                                                                                                              \
      }                                                                                                                \
    }                                                                                                                  \
    /* C is read last, so that no product waits for it. */                                                             \
    FOR(i, ROWS) FOR(j, VECTORS) {                                                                                     \
      float *at = c + i * ldc + 16 * j;                                                                                \
      store(at, add ? load(at) + sum[i][j] : sum[i][j]);                                                               \
    }                                                                                                                  \
  }

// Computes all rows of a column of tiles: first tiles of ROWS rows, then of four rows, then single rows.
#define COLUMN(ROWS, VECTORS)                                                                                          \
  INLINE void column_##VECTORS(const KERNEL(terms) * of, size_t m, size_t column, size_t ars, size_t acs, size_t ldb,  \
                               float *c, size_t ldc, int add) {                                                        \
    size_t i = 0;                                                                                                      \
    for (; i + ROWS <= m; i += ROWS) tile_##ROWS##_##VECTORS(of, i * ars, column, ars, acs, ldb, c + i * ldc, ldc, add); \
    for (; i + 4 <= m; i += 4) tile_4_##VECTORS(of, i * ars, column, ars, acs, ldb, c + i * ldc, ldc, add);            \
    for (; i < m; i++) tile_1_##VECTORS(of, i * ars, column, ars, acs, ldb, c + i * ldc, ldc, add);                    \
  }

#define IS_v4 1
#define IS_v3 0
#define IS_baseline 0
#define IS2(isa) IS_##isa
#define IS(isa) IS2(isa)
TILE(1, 1)
TILE(4, 1)
#if IS(ISA)
// Of 32 vector registers, the largest tile uses 24 for sums, 4 for the right side and 1 for the left.
TILE(14, 1)
COLUMN(14, 1)
TILE(1, 2)
TILE(4, 2)
TILE(12, 2)
COLUMN(12, 2)
TILE(1, 4)
TILE(4, 4)
TILE(6, 4)
COLUMN(6, 4)
#else
// Of 16 registers of half the length, the largest tile uses 12 for sums, 2 for the right side and 1 for the left.
TILE(6, 1)
COLUMN(6, 1)
#endif

INLINE void product(const KERNEL(terms) * of, size_t m, size_t n, size_t ars, size_t acs, size_t ldb, float *c,
                    size_t ldc, int add) {
  size_t j = 0;
#if IS(ISA)
  for (; j + 64 <= n; j += 64) column_4(of, m, j, ars, acs, ldb, c + j, ldc, add);
  for (; j + 32 <= n; j += 32) column_2(of, m, j, ars, acs, ldb, c + j, ldc, add);
#endif
  for (; j + 16 <= n; j += 16) column_1(of, m, j, ars, acs, ldb, c + j, ldc, add);
}

void KERNEL(srs_product)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb, float *c,
                        size_t ldc, int add) {
  KERNEL(terms) of = {1, k, {a}, {b}};
  product(&of, m, n, lda, 1, ldb, c, ldc, add);
}

void KERNEL(srs_product_left)(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                             float *c, size_t ldc, int add) {
  KERNEL(terms) of = {1, k, {a}, {b}};
  product(&of, m, n, 1, lda, ldb, c, ldc, add);
}

void KERNEL(srs_product_sum)(size_t terms, size_t m, size_t n, size_t k, const float *const *a, const float *const *b,
                            float *c, int add) {
  KERNEL(terms) of = {terms, k, {0}, {0}};
  for (size_t t = 0; t < terms; t++) of.a[t] = a[t], of.b[t] = b[t];
  product(&of, m, n, k, 1, n, c, n, add);
}

// Transposes a 16 x 16 block in four rounds; round D swaps the off-diagonal quarters of squares of side 2 D.
#define EXCHANGE(D)                                                                                                    \
  FOR(i, 16) {                                                                                                         \
    if (i & D) continue;                                                                                               \
    v16 low = r[i], high = r[i + D];                                                                                   \
    r[i] = __builtin_shufflevector(low, high, FIRST_##D);                                                              \
    r[i + D] = __builtin_shufflevector(low, high, SECOND_##D);                                                         \
  }
#define FIRST_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define SECOND_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define FIRST_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define SECOND_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define FIRST_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define SECOND_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define FIRST_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define SECOND_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31

// y (16 x 16) = x^T. Rows of x from `rows` on count as 0.
INLINE void transpose16(size_t rows, const float *x, size_t ldx, float *y, size_t ldy) {
  v16 r[16];
  FOR(i, 16) r[i] = i < rows ? load(x + i * ldx) : splat(0);
  EXCHANGE(1)
  EXCHANGE(2)
  EXCHANGE(4)
  EXCHANGE(8)
  FOR(i, 16) store(y + i * ldy, r[i]);
}

void KERNEL(srs_transpose)(size_t rows, size_t columns, const float *x, size_t ldx, float *y, size_t ldy) {
  for (size_t i = 0; i < rows; i += 16)
    for (size_t j = 0; j < columns; j += 16) {
      if (i + 16 <= rows && j + 16 <= columns) {
        transpose16(16, x + i * ldx + j, ldx, y + j * ldy + i, ldy);
        continue;
      }
      for (size_t a = i; a < rows && a < i + 16; a++)
        for (size_t b = j; b < columns && b < j + 16; b++) y[b * ldy + a] = x[a * ldx + b];
    }
}
